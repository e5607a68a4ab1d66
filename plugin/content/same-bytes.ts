/** Whether a download that was never proven agrees with the blob that came by other hands. */
import type { OpenBytes } from '../store/blob-store.ts';
import type { Partial } from '../store/partial-store.ts';

/** Bytes compared at once. */
const STEP_BYTES = 1024 * 1024;

/** Compares every byte that the download has. Errors: those of reading. */
export async function hasSameBytes(
  partial: Pick<Partial, 'size' | 'missing' | 'read'>,
  blob: Pick<OpenBytes, 'read'>,
): Promise<boolean> {
  const [ours, theirs] = [Buffer.allocUnsafe(STEP_BYTES), Buffer.allocUnsafe(STEP_BYTES)];
  for (let at = 0; at < partial.size; ) {
    const gap = partial.missing(at);
    if (gap?.start === at) {
      at = gap.end;
      continue;
    }
    const length = Math.min(STEP_BYTES, (gap?.start ?? partial.size) - at);
    const counts = await Promise.all([
      partial.read(ours.subarray(0, length), at),
      blob.read(theirs.subarray(0, length), at),
    ]);
    if (counts.some((count) => count !== length)) return false;
    if (!ours.subarray(0, length).equals(theirs.subarray(0, length))) return false;
    at += length;
  }
  return true;
}
