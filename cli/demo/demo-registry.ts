/** The demo's own registry on loopback: a generated image, and a count of every byte that leaves it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GeneratedImage, generateImage } from './generated-image.ts';
import { ImageServer } from './image-server.ts';

export const DEMO_REPOSITORY = 'demo/app';
export const DEMO_TAG = 'v1';
const LAYER_COUNT = 4;
const LAYER_SIZE_BYTES = 16 * 1024 * 1024;

export interface DemoRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly image: GeneratedImage;
  /** Body bytes of GETs answered so far. */
  bytesServed(): number;
  /** Requests for blobs so far. */
  blobRequests(): number;
  /** Another image under another tag: other layers, and fewer. */
  publish(tag: string): Promise<void>;
  close(): Promise<void>;
}

export async function startDemoRegistry(): Promise<DemoRegistry> {
  const image = await generateImage({ seed: 'demo', layerCount: LAYER_COUNT, layerSizeBytes: LAYER_SIZE_BYTES });
  const images = new ImageServer();
  images.put(DEMO_REPOSITORY, image, [DEMO_TAG]);
  let bytesServed = 0;
  let blobRequests = 0;
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request;
    const answer = images.answer({ method, path: url, range: headers.range });
    bytesServed += answer.body.length;
    if (url.includes('/blobs/')) blobRequests += 1;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    image,
    bytesServed: () => bytesServed,
    blobRequests: () => blobRequests,
    publish: async (tag) => {
      const other = await generateImage({ seed: tag, layerCount: 2, layerSizeBytes: LAYER_SIZE_BYTES });
      images.put(DEMO_REPOSITORY, other, [tag]);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
