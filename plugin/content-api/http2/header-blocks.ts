/** Header blocks of a connection, put together from HEADERS and CONTINUATION frames and decoded in order (RFC 9113 §4.3). */
import { messageOf } from '../../../core/runtime/errors.ts';
import { ConnectionError, FLAG, type FrameHead, H2_ERROR } from './frames.ts';
import { HpackDecoder, type RequestHeaders } from './hpack-decoder.ts';
import { CONTINUATIONS_MAX, HEADER_BLOCK_BYTES_MAX } from './limits.ts';

/** A whole block: whose, whether its stream ends with it, and what it says. */
export interface HeaderBlock {
  readonly stream: number;
  readonly isEnd: boolean;
  readonly headers: RequestHeaders;
}

interface OpenBlock {
  readonly head: FrameHead;
  readonly fragments: Buffer[];
  bytes: number;
}

export class HeaderBlocks {
  readonly #hpack = new HpackDecoder();
  #open: OpenBlock | undefined;

  /** True between HEADERS and the last CONTINUATION: no other frame may come. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** A HEADERS frame's fragment. @returns the block when it is whole */
  begin(head: FrameHead, fragment: Buffer): HeaderBlock | undefined {
    if ((head.flags & FLAG.END_HEADERS) !== 0) return this.#finish(head, fragment);
    this.#open = { head, fragments: [Buffer.from(fragment)], bytes: fragment.length };
    return undefined;
  }

  /** @throws ConnectionError when nothing is open on that stream, or the block gets too long */
  continue(head: FrameHead, fragment: Buffer): HeaderBlock | undefined {
    const open = this.#open;
    if (open === undefined || open.head.stream !== head.stream) {
      throw new ConnectionError(H2_ERROR.PROTOCOL_ERROR, 'A continuation of nothing');
    }
    open.fragments.push(Buffer.from(fragment));
    open.bytes += fragment.length;
    if (open.bytes > HEADER_BLOCK_BYTES_MAX || open.fragments.length > CONTINUATIONS_MAX) {
      throw new ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'A header block is too long');
    }
    if ((head.flags & FLAG.END_HEADERS) === 0) return undefined;
    this.#open = undefined;
    return this.#finish(open.head, Buffer.concat(open.fragments));
  }

  /** Blocks are decoded even when nobody wants them, since the tables of both sides have to keep step. */
  #finish(head: FrameHead, block: Buffer): HeaderBlock {
    try {
      const headers = this.#hpack.decode(block);
      return { stream: head.stream, isEnd: (head.flags & FLAG.END_STREAM) !== 0, headers };
    } catch (error) {
      throw new ConnectionError(H2_ERROR.COMPRESSION_ERROR, messageOf(error));
    }
  }
}
