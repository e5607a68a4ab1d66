/** The store as a client of the socket sees it, so that the store's own suite runs through the wire. */
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import type { InfoMessage, StatusMessage, Timestamp } from '../../plugin/content-api/content-messages.ts';
import { WRITE_ACTION } from '../../plugin/content-api/content-messages.ts';
import type { CommitOptions, FacadeInfo, FacadeWriter, StoreFacade } from '../../plugin/store/store-facade.ts';
import type { IngestStatus } from '../../plugin/store/ingest-store.ts';
import type { ContentClient, WriteStream } from './content-client.ts';

export function socketFacade(client: ContentClient): StoreFacade {
  const { methods } = client;
  return {
    async openWriter(ref, { total = 0, expected = '' } = {}) {
      const stream = client.write();
      const { offset } = await stream.send({ action: WRITE_ACTION.STAT, ref, total, expected });
      return new SocketWriter(ref, stream, offset);
    },
    status: async (ref) => statusOf((await client.unary(methods.status, { ref })).status),
    statuses: async () => (await client.unary(methods.listStatuses, { filters: [] })).statuses.map(statusOf),
    // Abort itself is content with an absent ref, as the built-in store is.
    async abort(ref) {
      await client.unary(methods.status, { ref });
      await client.unary(methods.abort, { ref });
    },
    info: async (digest) => infoOf((await client.unary(methods.info, { digest })).info),
    async list() {
      const infos: FacadeInfo[] = [];
      for await (const { info } of client.stream(methods.list, { filters: [] })) infos.push(...info.map(infoOf));
      return infos;
    },
    read: (digest, offset, length) => client.read(digest, offset, length),
    delete: async (digest) => void (await client.unary(methods.delete, { digest })),
    async setLabels(digest, labels) {
      const info = { digest, labels: Object.fromEntries(labels) };
      await client.unary(methods.update, { info, updateMask: null });
    },
  };
}

class SocketWriter implements FacadeWriter {
  readonly #ref: string;
  readonly #stream: WriteStream;
  #offset: number;

  constructor(ref: string, stream: WriteStream, offset: number) {
    this.#ref = ref;
    this.#stream = stream;
    this.#offset = offset;
  }

  async status(): Promise<IngestStatus> {
    const { offset, total, startedAt, updatedAt } = await this.#stream.send({ action: WRITE_ACTION.STAT });
    return { ref: this.#ref, offset, total, startedAtMs: msOf(startedAt), updatedAtMs: msOf(updatedAt) };
  }

  async digest(): Promise<Digest> {
    return parseDigest((await this.#stream.send({ action: WRITE_ACTION.STAT })).digest);
  }

  async write(data: Uint8Array): Promise<void> {
    const { offset } = await this.#stream.send({ action: WRITE_ACTION.WRITE, offset: this.#offset, data });
    this.#offset = offset;
  }

  async truncate(): Promise<void> {
    const { offset } = await this.#stream.send({ action: WRITE_ACTION.WRITE, offset: 0 });
    this.#offset = offset;
  }

  async commit({ size = 0, expected, labels }: CommitOptions = {}): Promise<Digest> {
    const last = { action: WRITE_ACTION.COMMIT, offset: this.#offset, total: size, expected: expected ?? '' };
    const fields = labels === undefined ? last : { ...last, labels: Object.fromEntries(labels) };
    const { digest } = await this.#stream.send(fields);
    await this.#stream.close();
    return parseDigest(digest);
  }

  close(): Promise<void> {
    return this.#stream.close();
  }
}

function msOf(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? 0 : timestamp.seconds * 1000 + timestamp.nanos / 1e6;
}

function statusOf(status: StatusMessage): IngestStatus {
  const { ref, offset, total, startedAt, updatedAt } = status;
  return { ref, offset, total, startedAtMs: msOf(startedAt), updatedAtMs: msOf(updatedAt) };
}

function infoOf(info: InfoMessage): FacadeInfo {
  return {
    digest: parseDigest(info.digest),
    size: info.size,
    createdAtMs: msOf(info.createdAt),
    updatedAtMs: msOf(info.updatedAt),
    labels: new Map(Object.entries(info.labels)),
  };
}
