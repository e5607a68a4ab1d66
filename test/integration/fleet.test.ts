/** Four real nodes on shaped links ask at once for the same new image: the registry gives little more than one copy. */
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import type { FleetReport } from '../fleet/fleet-bench.ts';
import { fleetUnavailable } from '../fleet/prerequisites.ts';
import { runCommand } from '../support/debian/run-command.ts';

const PROGRAM = resolve(import.meta.dirname, '../fleet/main.ts');
const NODES = 4;
const DEADLINE_MS = 60_000;
/** So few pieces leave the last of them to more than one node now and then. */
const COPIES_MAX = 1.3;

const reason = fleetUnavailable();
if (reason !== undefined) process.stderr.write(`fleet: skipped, ${reason}\n`);

async function runFleet(): Promise<FleetReport> {
  const size = ['--nodes', String(NODES), '--link', '100mbit', '--upstream', '100mbit', '--blob', '16MiB'];
  const args = [PROGRAM, ...size, '--scenario', 'at-once', '--preset', 'local', '--json'];
  // What jest tells its own process is not meant for this one.
  const env = { NODE_OPTIONS: '', NO_COLOR: '1' };
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, args, { env, deadlineMs: DEADLINE_MS });
  if (exitCode !== 0) throw new Error(`The fleet ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
}

(reason === undefined ? it : it.skip)(
  'a fleet of four takes one copy from upstream, and every node has every byte',
  async () => {
    const { runs } = await runFleet();
    expect(runs).toHaveLength(1);
    for (const run of runs) {
      expect(run.membersKnown).toBe(NODES);
      expect(run.failures).toEqual([]);
      expect(run.wrongBlobs).toBe(0);
      expect(run.bytesVerified).toBe(NODES * run.imageBytes);
      expect(run.upstreamCopies.byLink).toBeLessThanOrEqual(COPIES_MAX);
      expect(run.upstreamCopies.byNodes).toBeLessThanOrEqual(COPIES_MAX);
    }
  },
  DEADLINE_MS + 15_000,
);
