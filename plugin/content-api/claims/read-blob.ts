/** A small blob's bytes whole, from this disk. */
import type { Digest } from '../../../core/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../../core/oci/manifest.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { BlobReader } from '../../store/blob-store.ts';

/** @throws CodedError NOT_FOUND when it is not here; OUT_OF_RANGE when it is larger than any manifest may be */
export async function readManifestBytes(store: Pick<BlobReader, 'open'>, digest: Digest): Promise<Uint8Array> {
  const open = await store.open(digest);
  try {
    if (open.size > MAX_MANIFEST_BYTES) {
      throw new CodedError('OUT_OF_RANGE', `Blob "${digest}" has ${open.size} bytes, ${MAX_MANIFEST_BYTES} at most`);
    }
    const bytes = new Uint8Array(open.size);
    for (let at = 0; at < bytes.length; ) {
      const count = await open.read(bytes.subarray(at), at);
      if (count === 0) throw new CodedError('DATA_LOSS', `Blob "${digest}" ends at ${at} of ${bytes.length} bytes`);
      at += count;
    }
    return bytes;
  } finally {
    await open.close();
  }
}
