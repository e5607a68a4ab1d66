/** `shoal pull`: an image into a node's cache. */
import { parsePlatform } from '../core/oci/platform.ts';
import { formatReference, parseReference } from '../core/oci/reference.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '../core/runtime/errors.ts';
import { formatBytes, formatDuration } from '../core/runtime/units.ts';
import { type AdminOptions, createAdminClient, errorIn, withAdminOptions } from './admin-client.ts';
import { type ExitCode, EXIT, exitCodeOf } from './exit-codes.ts';
import type { Host } from './host.ts';
import { fieldsOf, numberIn, textIn } from './json-fields.ts';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';
import { PullProgress } from './pull/pull-progress.ts';

interface PullOptions extends AdminOptions {
  readonly platform?: string;
  readonly json?: true;
}

export const addPull: AddCommand = (program, { host, finish }) => {
  withAdminOptions(program.command('pull').description("bring an image into a node's cache"), { isChange: true })
    .argument('<ref>', 'the image, as docker and crictl name it')
    .option('--platform <os/arch>', "os/arch[/variant]; the node's own by default")
    .option('--json', 'print one JSON document')
    .action(async (ref: string, options: PullOptions) => finish(await pull(ref, options, host)));
};

async function pull(typed: string, options: PullOptions, host: Host): Promise<ExitCode> {
  const ref = formatReference(parseReference(typed));
  if (options.platform !== undefined) parsePlatform(options.platform);
  const client = await createAdminClient(options);
  const progress = new PullProgress();
  const startedMs = systemClock.monotonicMs();
  const lines = client.post('/api/v1/pull', { ref, ...(options.platform && { platform: options.platform }) });
  const failure = await follow(lines, progress, { ref, host }).catch((error: unknown) => error);
  const ms = Math.round(systemClock.monotonicMs() - startedMs);
  if (options.json) {
    printJson(host, pullDocument({ ref, platform: options.platform, progress, ms, failure }));
    return failure === undefined ? EXIT.done : exitCodeOf(failure);
  }
  if (failure !== undefined) throw failure;
  host.out.write(`${ref}: ${summary(progress, ms)}\n`);
  return EXIT.done;
}

function summary(progress: PullProgress, ms: number): string {
  const { blobs, bytes, bytesFetched } = progress.totals();
  const what = `${blobs} blobs, ${formatBytes(bytes)}`;
  return bytesFetched === 0 ? `${what}, everything is here already` : `${what}, in ${formatDuration(ms)}`;
}

/** Shows every line until the node says that it is done. */
async function follow(
  lines: AsyncIterable<unknown>,
  progress: PullProgress,
  { ref, host }: { ref: string; host: Host },
): Promise<undefined> {
  // Loaded here only: no other command shows progress.
  const { createProgressView } = await import('./pull/progress-view.ts');
  const view = createProgressView(host, ref, progress);
  try {
    for await (const line of lines) {
      const fields = fieldsOf(line);
      if (fields.kind === 'done') return undefined;
      if (fields.kind === 'failed') throw errorIn({ error: fields }, 'The node failed to pull the image');
      if (fields.kind !== 'blob') continue;
      const step = {
        digest: textIn(fields, 'digest'),
        mediaType: textIn(fields, 'media_type'),
        size: numberIn(fields, 'size'),
        bytesPresent: numberIn(fields, 'bytes_present'),
        state: textIn(fields, 'state'),
      };
      progress.apply(step, systemClock.monotonicMs());
      view.show(step);
    }
  } finally {
    view.close();
  }
  throw new CodedError('UNAVAILABLE', 'The node stopped answering before the image was whole');
}

interface Pulled {
  readonly ref: string;
  readonly platform: string | undefined;
  readonly progress: PullProgress;
  readonly ms: number;
  readonly failure: unknown;
}

function pullDocument({ ref, platform, progress, ms, failure }: Pulled) {
  const totals = progress.totals();
  return {
    ref,
    platform: platform ?? null,
    state: failure === undefined ? 'done' : 'failed',
    ...(failure === undefined ? {} : { error: { code: codeOf(failure), message: messageOf(failure) } }),
    bytes: totals.bytes,
    bytes_present: totals.bytesPresent,
    bytes_fetched: totals.bytesFetched,
    seconds: ms / 1000,
    blobs: progress.steps().map((step) => ({
      digest: step.digest,
      media_type: step.mediaType,
      size: step.size,
      bytes_present: step.bytesPresent,
      state: step.state,
    })),
  };
}
