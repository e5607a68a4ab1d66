/** A node that answers as it is told. */
import { CodedError } from '../../../core/runtime/errors.ts';
import type { ImageRow, ImageState, NodeFacts, NodeSeeding, OrderNews, SeedOrder } from '../seed.ts';

export class FakeNode implements NodeSeeding {
  readonly begun: SeedOrder[] = [];
  readonly cancelled: string[] = [];
  /** It answers nothing. */
  isSilent = false;
  /** It does not take whoever asks for a member. */
  isStranger = false;
  /** It remembers no order. */
  isForgetful = false;
  /** What it says of every image. */
  state: ImageState = 'fetched';
  facts_: NodeFacts = {
    platform: { os: 'linux', architecture: 'amd64' },
    freeBytes: 10,
    roomBytes: 5,
    canUnpack: false,
  };

  async begin(order: SeedOrder): Promise<void> {
    this.#answer();
    if (this.isStranger) throw new CodedError('PERMISSION_DENIED', 'Caller is no live member');
    this.begun.push(order);
  }

  async watch({ id }: { id: string }): Promise<OrderNews> {
    this.#answer();
    const order = this.begun.find((one) => one.id === id);
    if (order === undefined || this.isForgetful) throw new CodedError('NOT_FOUND', 'Seed is not known here');
    const rows = order.images.map((_image, image) => rowOf(image, this.state));
    return { revision: 1, rows, isDone: this.state !== 'fetching' };
  }

  async cancel(id: string): Promise<void> {
    this.cancelled.push(id);
  }

  async presence(): Promise<Uint8Array> {
    this.#answer();
    return Uint8Array.of(0x80);
  }

  async facts(): Promise<NodeFacts> {
    this.#answer();
    return this.facts_;
  }

  #answer(): void {
    if (this.isSilent) throw new CodedError('UNAVAILABLE', 'Node does not answer');
  }
}

export function rowOf(image: number, state: ImageState): ImageRow {
  const bytes = { bytesTotal: 9, bytesPresent: 9, bytesFetched: state === 'fetched' ? 9 : 0 };
  return { image, state, ...bytes, blobsVerified: 2, blobsTotal: 2, isRetriable: false, elapsedMs: 1 };
}
