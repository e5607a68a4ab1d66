/** A pull through a node's admin address, told blob by blob. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Digest } from '../../core/oci/digest.ts';

export interface PulledBlob {
  digest: Digest;
  mediaType: string;
  size: number;
}

const PULL_DEADLINE_MS = 120_000;

/** Resolves with every blob of the image in the order in which they became whole. */
export async function pullThrough(admin: string, ref: string): Promise<PulledBlob[]> {
  const response = await fetch(`http://${admin}/api/v1/pull`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ref }),
    signal: AbortSignal.timeout(PULL_DEADLINE_MS),
  });
  if (!response.ok || response.body === null) throw new Error(`Pull of "${ref}" failed: ${await response.text()}`);
  const blobs: PulledBlob[] = [];
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    const step = JSON.parse(line);
    if (step.kind === 'failed') throw new Error(`Pull of "${ref}" failed: ${line}`);
    if (step.kind === 'blob' && step.state === 'done') {
      blobs.push({ digest: step.digest, mediaType: step.media_type, size: step.size });
    }
  }
  return blobs;
}

/** Bytes that these nodes have had from other nodes, by their own metrics. */
export async function peerBytes(nodes: readonly { readonly admin: string }[]): Promise<number> {
  const counts = nodes.map(async ({ admin }) => {
    const text = await (await fetch(`http://${admin}/metrics`)).text();
    const [, count = '0'] = /^shoal_peer_bytes_total\{direction="received"\} (\S+)$/m.exec(text) ?? [];
    return Number(count);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
