/** containerd's side of its content service: reads blobs over the socket as unpacking does. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Digest } from '../../core/oci/digest.ts';

/** containerd's archive reader asks for so much at once. */
const READ_BYTES = 32 * 1024;
const READ_DEADLINE_MS = 30_000;

export interface ContentClient {
  /** Reads a blob of `size` bytes by 32 KiB Reads, one after another. Resolves with the SHA-256 of what came. */
  readBlob(digest: Digest, size: number): Promise<string>;
  close(): void;
}

export function connectContent(socket: string): ContentClient {
  const client = new Client(`unix://${socket}`, credentials.createInsecure());
  const read = loadRead();
  const readAt = (digest: Digest, offset: number, length: number) =>
    new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      const call = client.makeServerStreamRequest(
        read.path,
        read.requestSerialize,
        read.responseDeserialize,
        { digest, offset, size: length },
        { deadline: Date.now() + READ_DEADLINE_MS },
      );
      call.on('data', (message: { data: Buffer }) => chunks.push(message.data));
      call.on('error', reject);
      call.on('end', () => resolve(Buffer.concat(chunks)));
    });
  return {
    async readBlob(digest, size) {
      const hash = createHash('sha256');
      for (let offset = 0; offset < size; offset += READ_BYTES) {
        hash.update(await readAt(digest, offset, Math.min(READ_BYTES, size - offset)));
      }
      return `sha256:${hash.digest('hex')}`;
    },
    close: () => client.close(),
  };
}

function loadRead() {
  const includeDirs = [fileURLToPath(new URL('../../proto/containerd/api', import.meta.url))];
  const service = loadSync('services/content/v1/content.proto', { includeDirs, longs: Number })[
    'containerd.services.content.v1.Content'
  ];
  if (service === undefined || 'format' in service || service.Read === undefined) {
    throw new Error("containerd's content proto has no Read");
  }
  return service.Read;
}
