/**
 * Where a manifest came from: containerd labels it right after its commit and before it opens the writers of what the
 * manifest names (`AppendDistributionSourceLabel`, in the same handler chain). So the label is looked for a few times,
 * soon and then less often.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Source } from '../../../core/oci/source.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Containerd } from '../../containerd/containerd.ts';
import { sourcesInLabels } from './source-names.ts';

/** Two seconds in all: later than that there was no pull (an import, a build). */
const LOOK_AFTER_MS = [0, 1, 2, 3, 5, 8, 13, 20, 30, 50, 80, 130, 200, 300, 500, 700];

export interface SourceLookupDeps {
  containerd: Pick<Containerd, 'isReachable' | 'namespaces' | 'content'>;
  clock: Clock;
}

/** Sources in the labels of `digest`; empty when none came up in time. `namespace`: where it was committed, if that is known. */
export async function lookUpSources(
  deps: SourceLookupDeps,
  { digest, namespace }: { digest: Digest; namespace: string | undefined },
  options: { signal: AbortSignal },
): Promise<Source[]> {
  if (!deps.containerd.isReachable()) return [];
  const namespaces = namespace === undefined ? await deps.containerd.namespaces(options) : [namespace];
  for (const afterMs of LOOK_AFTER_MS) {
    if (afterMs > 0) await deps.clock.sleep(afterMs, options);
    const sources: Source[] = [];
    for (const name of namespaces) {
      const record = await deps.containerd.content(name, digest, options);
      if (record !== undefined) sources.push(...sourcesInLabels(record.labels));
    }
    if (sources.length > 0) return sources;
  }
  return [];
}
