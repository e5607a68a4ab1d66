/** What this disk can give to other nodes: whole blobs, running downloads, and what containerd writes. */
import type { BlobReader } from '../store/blob-store.ts';
import type { StoreWatch } from '../store/store-watch.ts';
import type { LocalPieces } from '../swarm/swarm.ts';

export function localPieces(store: Pick<BlobReader, 'stat' | 'open'> & Pick<StoreWatch, 'arriving'>): LocalPieces {
  return {
    look(digest) {
      const stat = store.stat(digest);
      if (stat !== undefined) {
        return { state: 'whole', size: stat.size, missing: () => undefined, open: () => store.open(digest) };
      }
      const arriving = store.arriving(digest);
      if (arriving === undefined) return undefined;
      return {
        state: arriving.state,
        size: arriving.size,
        missing: (from) => arriving.missing(from),
        // Whoever writes it has its file open.
        open: async () => ({ read: (into, offset) => arriving.read(into, offset), close: async () => undefined }),
      };
    },
  };
}
