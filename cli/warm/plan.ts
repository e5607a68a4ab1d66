/** `shoal warm plan`: what would be warmed, where, and when it has to begin. */
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import type { AddCommand } from '../program.ts';
import { nowOf, openWarmer, untilSignal, type WarmOptions, withConfig, withNow } from './warm-options.ts';
import { writeAll } from './write-all.ts';

interface PlanOptions extends WarmOptions {
  readonly now?: string;
  readonly json?: true;
  readonly offline?: true;
}

export const addWarmPlan: AddCommand = (warm, { host, finish }) => {
  withNow(withConfig(warm.command('plan').description('show what would be done; moves nothing')))
    .option('--offline', 'ask no registry; digests and sizes stay unknown')
    .option('--json', 'print one JSON document')
    .action(async (options: PlanOptions) => finish(await plan(options, host)));
};

async function plan(options: PlanOptions, host: Host): Promise<ExitCode> {
  const nowMs = nowOf(options);
  const { warmer } = await openWarmer({ ...options, logLevel: 'warn' }, host);
  const { signal, remove } = untilSignal(host);
  try {
    const lookup = options.offline ? 'offline' : 'resolve';
    const prepared = await warmer.plan({ nowMs, lookup, signal });
    if (options.json) {
      const { planJsonChunks } = await import('../../warmer/plan/plan-json.ts');
      await writeAll(host.out, planJsonChunks(prepared.plan));
    } else {
      const { planTable } = await import('../../warmer/plan/plan-table.ts');
      host.out.write(planTable(prepared.plan));
    }
    const isWhole = prepared.failed.length === 0 && prepared.silent.size === 0 && prepared.fleetProblem === undefined;
    return isWhole || options.offline ? EXIT.done : EXIT.doneInPart;
  } finally {
    remove();
    await warmer.stop();
  }
}
