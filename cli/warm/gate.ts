/** `shoal warm gate`: exit 0 once images are warm on enough nodes, for CI, Helm hooks and Argo. */
import { formatReference, parseReference } from '../../core/oci/reference.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import { parseDuration } from '../../core/runtime/units.ts';
import type { GateImage } from '../../warmer/gate/gate.ts';
import type { Warmer } from '../../warmer/warmer.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { printJson, printTable } from '../print.ts';
import type { AddCommand } from '../program.ts';
import { nowOf, openWarmer, untilSignal, type WarmOptions, withConfig } from './warm-options.ts';

interface GateOptions extends WarmOptions {
  readonly image: readonly string[];
  readonly quorum: string;
  readonly timeout: string;
  readonly json?: true;
}

/** Between looks, milliseconds: each asks the nodes, and the registry the first time only. */
const LOOK_EVERY_MS = 3_000;

export const addWarmGate: AddCommand = (warm, { host, finish }) => {
  withConfig(warm.command('gate').description('exit 0 once images are warm on enough of their nodes'))
    .option(
      '--image <ref>',
      'only this one; may be given again. Default: all',
      (ref, all: string[]) => [...all, ref],
      [],
    )
    .option('--quorum <share>', 'how many of its nodes: 90%, or a number', '100%')
    .option('--timeout <duration>', 'how long to wait for it; 0s looks once', '0s')
    .option('--json', 'print one JSON document')
    .action(async (options: GateOptions) => finish(await gate(options, host)));
};

async function gate(options: GateOptions, host: Host): Promise<ExitCode> {
  const { gateImages, parseQuorum } = await import('../../warmer/gate/gate.ts');
  const quorum = parseQuorum(options.quorum);
  const timeoutMs = parseDuration(options.timeout);
  const references = options.image.map((image) => formatReference(parseReference(image)));
  const { warmer } = await openWarmer({ ...options, logLevel: 'warn', extraImages: options.image }, host);
  const { signal, remove } = untilSignal(host);
  try {
    const look = async (isFirst: boolean) =>
      gateImages(await planOnce(warmer, { isFirst, signal }), references, quorum);
    const images = await lookUntil(look, { timeoutMs, signal });
    tell(images, options, host);
    return images.length > 0 && images.every(({ isWarm }) => isWarm) ? EXIT.done : EXIT.failed;
  } finally {
    remove();
    await warmer.stop();
  }
}

async function planOnce(warmer: Warmer, { isFirst, signal }: { isFirst: boolean; signal: AbortSignal }) {
  const prepared = await warmer.plan({ nowMs: nowOf({}), lookup: isFirst ? 'resolve' : 'remember', signal });
  if (prepared.fleetProblem === undefined) return prepared.plan;
  throw new CodedError('UNAVAILABLE', prepared.fleetProblem);
}

/** The last look when the time is over; a node that does not answer is waited for as well. */
async function lookUntil(
  look: (isFirst: boolean) => Promise<GateImage[]>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<GateImage[]> {
  const endMs = systemClock.monotonicMs() + timeoutMs;
  // What was not resolved at first may be later.
  let isResolved = false;
  for (;;) {
    const leftMs = () => endMs - systemClock.monotonicMs();
    try {
      const images = await look(!isResolved);
      isResolved = images.every(({ reason }) => reason === undefined);
      if (images.every(({ isWarm }) => isWarm) || leftMs() <= 0) return images;
    } catch (error) {
      if (signal.aborted || !isCode(error, 'UNAVAILABLE') || leftMs() <= 0) throw error;
    }
    await systemClock.sleep(Math.min(LOOK_EVERY_MS, Math.max(0, leftMs())), { signal });
  }
}

function tell(images: readonly GateImage[], options: GateOptions, host: Host): void {
  if (options.json) {
    const rows = images.map(({ reference, isWarm, reason, warm, nodes, needed }) => ({
      image: reference,
      warm,
      nodes,
      needed,
      is_warm: isWarm,
      reason: reason ?? null,
    }));
    printJson(host, { is_warm: images.length > 0 && images.every(({ isWarm }) => isWarm), images: rows });
    return;
  }
  if (images.length === 0) host.err.write('shoal: The sources name no image\n');
  if (images.length === 0) return;
  printTable(
    host,
    ['IMAGE', 'WARM ON', 'NEEDED', ''],
    images.map(({ reference, warm, nodes, needed, isWarm, reason }) => [
      reference,
      `${warm} of ${nodes}`,
      `${needed}`,
      isWarm ? 'warm' : (reason ?? 'not warm'),
    ]),
  );
}
