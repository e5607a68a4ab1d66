/** Where workloads are described: files, compose projects, a cluster, a plain list. */
import type { SourceDocument } from './documents.ts';
import type { Unresolved } from './unresolved.ts';
import type { Workload } from './workload.ts';

/**
 * What a source gives, one after the other, so that no source is held whole: Kubernetes documents, to be asked for
 * images (`findImages`) and for events; workloads of sources that have no such documents; and what could not be read.
 */
export type SourceItem =
  | { readonly kind: 'document'; readonly document: SourceDocument }
  | { readonly kind: 'workload'; readonly workload: Workload }
  | { readonly kind: 'unresolved'; readonly unresolved: Unresolved };

export interface Source {
  /** Reads it as it is now. Never throws for what stands in it; an aborted signal's reason is thrown. */
  read(options: { signal: AbortSignal }): AsyncIterable<SourceItem>;
}
