/** Blobs of the memory store: bytes that live while the index shows a link to them. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { BlobIndex, Link } from './blob-index.ts';
import type { DirectHold } from './disk-blobs.ts';

export class MemoryBlobs {
  readonly index: BlobIndex;
  readonly labels = new Map<Digest, ReadonlyMap<string, string>>();
  readonly #bytes = new Map<Digest, Uint8Array>();

  constructor(index: BlobIndex) {
    this.index = index;
  }

  /** @throws CodedError NOT_FOUND */
  bytesOf(digest: Digest): Uint8Array {
    const bytes = this.index.stat(digest) === undefined ? undefined : this.#bytes.get(digest);
    if (bytes === undefined) throw new CodedError('NOT_FOUND', `Blob "${digest}" is not in this store`);
    return bytes;
  }

  /** @throws CodedError NOT_FOUND */
  link(digest: Digest, link: Link): void {
    this.bytesOf(digest);
    const stat = this.index.stat(digest);
    if (stat !== undefined) this.index.add(digest, link, stat);
  }

  unlink(digest: Digest, link: { hold: DirectHold } | { pin: string }): void {
    if (!this.index.hasLink(digest, link)) return;
    const isGone = this.index.remove(digest, link);
    if (isGone) this.#bytes.delete(digest);
    if (isGone || ('hold' in link && link.hold === 'containerd')) this.labels.delete(digest);
  }

  publish(digest: Digest, bytes: Uint8Array, how: { holds: readonly DirectHold[]; nowMs: number }): void {
    if (!this.#bytes.has(digest)) this.#bytes.set(digest, bytes);
    const facts = { size: bytes.length, createdAtMs: how.nowMs, usedAtMs: how.nowMs };
    for (const hold of how.holds) this.index.add(digest, { hold }, facts);
  }
}
