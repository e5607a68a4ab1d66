import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import type { LocalBlob } from './swarm.ts';
import { UploadDesk } from './upload-desk.ts';

const BYTES = Buffer.from(Array.from({ length: 200 }, (_, at) => at));
const range = { start: 100, end: 200 };
const HASHED = digestOf(BYTES.subarray(100)).slice('sha256:'.length);

/** What the desk says that the second piece hashes to. */
async function said(state: LocalBlob['state'], accepted: string | undefined): Promise<string> {
  const blob: LocalBlob = {
    state,
    size: BYTES.length,
    missing: () => undefined,
    open: async () => ({ read: async (into, offset) => BYTES.copy(into, 0, offset), close: async () => undefined }),
  };
  const desk = new UploadDesk({
    local: { look: () => blob },
    arriving: () => undefined,
    accepted: ({ range: { start } }) => (start === range.start ? accepted : undefined),
    events: { uploadRefused: () => undefined },
    pieceSizeFor: () => 100,
    uploadsMax: 2,
    mayUpload: true,
  });
  const request = { digest: digestOf(BYTES), range };
  const open = await desk.openRange('peer', request, { signal: new AbortController().signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of open.chunks) chunks.push(Buffer.from(chunk));
  expect(Buffer.concat(chunks).equals(BYTES.subarray(range.start))).toBe(true);
  return await open.sha256;
}

describe('UploadDesk', () => {
  it('openRange() says what a piece was accepted for, where that is known, and hashes it where it is not', async () => {
    expect(await said('fetching', 'accepted')).toBe('accepted');
    expect(await said('fetching', undefined)).toBe(HASHED);
  });

  it('openRange() hashes a whole blob itself: what it was accepted for in pieces counts no more', async () => {
    expect(await said('whole', 'accepted')).toBe(HASHED);
  });
});
