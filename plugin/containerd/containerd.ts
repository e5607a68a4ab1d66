/**
 * containerd as seen from here, over its own socket: what it believes to have, under which names, and taking a belief back.
 * Never called from within a call of containerd's own; every call has a deadline.
 */
import type { Digest } from '../../core/oci/digest.ts';

export interface ContainerdImage {
  /** As containerd keeps it: usually a full reference, sometimes any other text. */
  readonly name: string;
  readonly target: { readonly digest: Digest; readonly mediaType: string; readonly size: number };
}

export interface ContainerdContent {
  readonly digest: Digest;
  readonly size: number;
  readonly labels: ReadonlyMap<string, string>;
}

type Call = { signal: AbortSignal };

export interface Containerd {
  /** From memory: whether its socket answered the last time it was asked (kept fresh in the background). */
  isReachable(): boolean;
  /** Called at each connect and reconnect, until the returned function is called. */
  onConnect(listener: () => void): () => void;
  namespaces(call: Call): Promise<string[]>;
  /** Everything that a namespace's metadata lists. Entries whose digest the store cannot hold are left out. */
  contents(namespace: string, call: Call): Promise<ContainerdContent[]>;
  /** One blob's record; undefined when the namespace has none. */
  content(namespace: string, digest: Digest, call: Call): Promise<ContainerdContent | undefined>;
  /** Makes a namespace forget a blob, so that its next pull fetches it anew. Absent is no error. */
  deleteContent(namespace: string, digest: Digest, call: Call): Promise<void>;
  images(namespace: string, call: Call): Promise<ContainerdImage[]>;
}

/** containerd's label for where a manifest came from: `containerd.io/distribution.source.<host without port>` = `<repo>[,<repo>…]`. */
export const SOURCE_LABEL_PREFIX = 'containerd.io/distribution.source.';
