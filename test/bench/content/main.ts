/**
 * `npm run bench:content`: what the content service costs, as JSON on stdout. Everything that is compared runs in one go and
 * interleaved; quote the ratios. Options: `--only calls|pull`, `--rounds N`, `--size-mib N`, `--lock-mib N`.
 * Whole pulls need root and the packages of `.ci/debian-packages`; calls need Go alone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCalls } from './calls.ts';
import { benchPulls } from './pull.ts';
import { buildClient } from './servers.ts';

const MIB = 2 ** 20;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'size-mib': { type: 'string', default: '1024' },
    'lock-mib': { type: 'string', default: '5120' },
  },
});
const rounds = Number(values.rounds);
// Unix sockets have short names, so the directory has one too.
const directory = mkdtempSync(join(tmpdir(), 'shoal-bc-'));
try {
  const common = { client: buildClient(directory), directory, rounds };
  const sizes = { sizeBytes: Number(values['size-mib']) * MIB, lockBytes: Number(values['lock-mib']) * MIB };
  const calls = values.only === 'pull' ? undefined : await benchCalls({ ...common, ...sizes });
  rmSync(join(directory, 'containerd.sock'), { force: true });
  const pull = values.only === 'calls' ? undefined : await benchPulls({ ...common, layers: 4, layerBytes: 32 * MIB });
  process.stdout.write(`${JSON.stringify({ cpus: cpus().length, rounds, calls, pull }, null, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
