/** The configured limits of the store in bytes of the disk that it lives on. */
import { mkdir, statfs } from 'node:fs/promises';
import { resolveSize } from '../core/runtime/units.ts';
import { fromErrno } from '../core/runtime/errors.ts';
import type { NodeConfig } from './config.ts';
import type { StoreLimits } from './store/store.ts';

/** @throws CodedError FAILED_PRECONDITION when the root can be neither found nor made */
export async function storeLimits({ content, store }: NodeConfig): Promise<StoreLimits> {
  const disk = await diskOf(content.root);
  return {
    capacityBytes: resolveSize(store.capacity, disk.blocks * disk.bsize),
    highWatermark: store.highWatermark,
    lowWatermark: store.lowWatermark,
    minFreeBytes: store.minFreeBytes,
  };
}

async function diskOf(root: string) {
  try {
    await mkdir(root, { recursive: true });
    return await statfs(root);
  } catch (error) {
    throw fromErrno(error, `Store directory "${root}" cannot be used`);
  }
}
