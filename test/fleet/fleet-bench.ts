/** All scenarios and rounds that were asked for, one after the other, on one network. Runs inside the namespaces that sandbox.ts makes. */
import { mkdir } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { planNodes, REGISTRY_MACHINE } from './address-plan.ts';
import { setCongestion } from './congestion.ts';
import { createFleetRegistry } from './fleet-registry.ts';
import { buildNetwork, hideRun } from './network.ts';
import type { FleetOptions } from './options.ts';
import type { RunResult } from './run-result.ts';
import { runScenario } from './run-scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { resultLine } from './table.ts';

/** In memory, and gone with the namespaces. */
const MEMORY_DIRECTORY = '/run/fleet';

export interface FleetReport {
  readonly machine: { readonly cpus: number; readonly model: string; readonly kernel: string; readonly node: string };
  readonly options: FleetOptions;
  /** Of every machine's TCP. */
  readonly congestion: string;
  /** Every goal of every run. */
  readonly goalsMet: boolean;
  /** Some run had too little idle time to say anything of the network. */
  readonly machineBound: boolean;
  readonly runs: readonly RunResult[];
}

/** `diskDirectory`: for what shall not lie in memory. @throws Error when a run could not be made */
export async function benchFleet(
  options: FleetOptions,
  { diskDirectory, say }: { diskDirectory: string; say: (text: string) => void },
): Promise<FleetReport> {
  await hideRun();
  await mkdir(MEMORY_DIRECTORY);
  const machines = planNodes(options.nodes);
  await buildNetwork([REGISTRY_MACHINE, ...machines], MEMORY_DIRECTORY);
  const congestion = await setCongestion([REGISTRY_MACHINE, ...machines], options.congestion);
  const registry = createFleetRegistry(join(MEMORY_DIRECTORY, 'registry'));
  const directory = options.store === 'disk' ? diskDirectory : MEMORY_DIRECTORY;
  const runs: RunResult[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const name of options.scenarios) {
      const run = await runScenario({ options, machines, registry, directory, say }, SCENARIOS[name], round);
      runs.push(run);
      say(resultLine(run));
    }
  }
  return {
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', kernel: release(), node: process.version },
    options,
    congestion,
    goalsMet: runs.every(({ goals }) => goals.met),
    machineBound: runs.some(({ machineBound }) => machineBound),
    runs,
  };
}
