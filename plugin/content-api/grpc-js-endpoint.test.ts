/** What rests on the inside of grpc-js: an update that moves it must not pass unseen. */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type ContentNode, startContentNode } from '../../test/conformance/content-node.ts';
import { digestOf } from '../../core/oci/digest.ts';
import { WRITE_ACTION } from './content-messages.ts';

const READERS = 8;
/** node:http2 lets a thousand resets pass at first. */
const READS_EACH = 200;
/** More than a new stream's window, so that the call is still open when it is reset. */
const BLOB = Buffer.alloc(128 * 1024, 1);

let node: ContentNode | undefined;
afterEach(() => node?.stop());

async function startWithBlob(): Promise<ContentNode> {
  const started = await startContentNode({ transport: 'grpc-js', kind: 'memory' });
  node = started;
  const writing = started.client.write();
  await writing.send({ action: WRITE_ACTION.COMMIT, ref: 'blob', data: BLOB, total: BLOB.length });
  await writing.close();
  return started;
}

/** A Read as Go's client makes it: reset as soon as its bytes have come, with the call still open. */
function readAndReset(session: ClientHttp2Session, path: string, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.once('error', reject);
    stream.once('close', () =>
      stream.rstCode === constants.NGHTTP2_CANCEL ? resolve() : reject(new Error(`code ${stream.rstCode}`)),
    );
    stream.once('data', () => stream.close(constants.NGHTTP2_CANCEL));
    stream.end(message);
  });
}

describe('createGrpcJsEndpoint()', () => {
  it('does not take eight readers that reset each Read for an attack', async () => {
    const { client, socket } = await startWithBlob();
    const { path, requestSerialize } = client.methods.read;
    const request = requestSerialize({ digest: digestOf(BLOB), offset: 0, size: 0 });
    const message = Buffer.concat([Buffer.alloc(5), request]);
    message.writeUInt32BE(request.length, 1);
    const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
    const goaways: number[] = [];
    session.on('error', () => undefined).on('goaway', (code) => goaways.push(code));
    const reader = async () => {
      for (let count = 0; count < READS_EACH; count += 1) await readAndReset(session, path, message);
    };
    const ends = await Promise.allSettled(Array.from({ length: READERS }, reader));
    expect({ failed: ends.filter(({ status }) => status === 'rejected'), goaways }).toEqual({
      failed: [],
      goaways: [],
    });
    session.close();
  }, 60_000);
});
