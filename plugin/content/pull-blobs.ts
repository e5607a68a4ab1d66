/** Fetching the blobs of one image, a few at once, telling how far each is. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Source } from '../../core/oci/source.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { ContentFetcher, Flight } from './content.ts';
import type { PullEvent } from './image-pull.ts';

/** How often those who watch are told, milliseconds. */
const TELL_EVERY_MS = 200;

export interface BlobsToFetch {
  readonly source: Source;
  readonly blobs: readonly Descriptor[];
  readonly parallel: number;
}

interface Running {
  readonly blob: Descriptor;
  readonly flight: Flight;
  /** Resolves, never rejects: failures are thrown by `fetchAll` itself. */
  readonly ended: Promise<{ running: Running; error?: unknown }>;
}

/** One that fails does not keep the others from coming. @throws the first failure, when all have ended */
export async function* fetchAll(
  deps: { content: ContentFetcher; clock: Clock },
  { source, blobs, parallel }: BlobsToFetch,
  signal: AbortSignal,
): AsyncGenerator<PullEvent, void> {
  const waiting = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const running = new Set<Running>();
  const failures: unknown[] = [];
  for (const blob of waiting) yield progress(blob, 'waiting', 0);
  try {
    while (waiting.length > 0 || running.size > 0) {
      signal.throwIfAborted();
      for (const blob of waiting.splice(0, parallel - running.size)) {
        const started = start(deps.content, blob, source);
        running.add(started);
        // Told at once, so that whoever watches can tell what has to come from what is here.
        const { bytesPresent } = started.flight.status();
        if (bytesPresent < blob.size) yield progress(blob, 'fetching', bytesPresent);
      }
      const end = await nextEnd(deps.clock, running, signal);
      if (end === undefined) {
        for (const { blob, flight } of running) yield progress(blob, 'fetching', flight.status().bytesPresent);
        continue;
      }
      running.delete(end.running);
      if ('error' in end) failures.push(end.error);
      else yield progress(end.running.blob, 'done', end.running.blob.size);
    }
    if (failures.length > 0) throw failures[0];
  } finally {
    for (const { blob } of running) deps.content.unwant(blob.digest, 'cache');
  }
}

function start(content: ContentFetcher, blob: Descriptor, source: Source): Running {
  const flight = content.fetch({ digest: blob.digest, size: blob.size, sources: [source] }, 'cache');
  const running: Running = {
    blob,
    flight,
    ended: flight.done.then(
      () => ({ running }),
      (error: unknown) => ({ running, error }),
    ),
  };
  return running;
}

/** The next one that ends; undefined when it is time to tell how far they are. */
async function nextEnd(clock: Clock, running: ReadonlySet<Running>, signal: AbortSignal) {
  const over = new AbortController();
  const onAbort = () => over.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const tick = clock.sleep(TELL_EVERY_MS, { signal: over.signal }).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([tick, ...[...running].map(({ ended }) => ended)]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    over.abort();
  }
}

function progress({ digest, mediaType, size }: Descriptor, state: PullEvent['state'], bytesPresent: number): PullEvent {
  return { digest, mediaType, size, bytesPresent, state };
}
