/** `shoal warm run`: warm once, as a systemd timer or a Kubernetes CronJob does. */
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import type { AddCommand } from '../program.ts';
import { nowOf, openWarmer, untilSignal, type WarmOptions, withConfig, withNow } from './warm-options.ts';
import { writeAll } from './write-all.ts';

interface RunOptions extends WarmOptions {
  readonly now?: string;
  readonly json?: true;
}

const EXIT_OF_END = { done: EXIT.done, part: EXIT.doneInPart, failed: EXIT.failed } as const;

export const addWarmRun: AddCommand = (warm, { host, finish }) => {
  withNow(withConfig(warm.command('run').description('warm once; again, it does only what is missing')))
    .option('--json', 'print one JSON document, a row for each image on each node')
    .action(async (options: RunOptions) => finish(await run(options, host)));
};

async function run(options: RunOptions, host: Host): Promise<ExitCode> {
  const nowMs = nowOf(options);
  const { warmer } = await openWarmer({ ...options, logLevel: 'warn' }, host);
  const { signal, remove } = untilSignal(host);
  // Loaded here only: no other command shows bars.
  const { createRunView } = await import('./run-view.ts');
  const view = createRunView(host);
  try {
    const result = await warmer.run({ nowMs, lookup: 'resolve', signal, view });
    view.close();
    const { endOf, totalsOf } = await import('../../warmer/report/run-result.ts');
    if (options.json) {
      const { runJsonChunks } = await import('../../warmer/report/run-json.ts');
      await writeAll(host.out, runJsonChunks(result));
    } else {
      const { runTable } = await import('../../warmer/report/run-table.ts');
      host.out.write(runTable(result));
    }
    if (result.notTried !== undefined) host.err.write(`shoal: ${result.notTried}\n`);
    return result.isElsewhere ? EXIT.done : EXIT_OF_END[endOf(totalsOf(result))];
  } finally {
    view.close();
    remove();
    await warmer.stop();
  }
}
