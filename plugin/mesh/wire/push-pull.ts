/** The exchange of whole states over a stream: header, one entry a member, the application's own. (memberlist `net.go`) */
import { INCARNATION_MAX, MEMBERS_MAX, META_BYTES_MAX, NAME_BYTES_MAX, STREAM_BYTES_MAX } from '../limits.ts';
import { MESSAGE } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { WireFault } from './wire-fault.ts';
import { address, bool, bytes, structure, text, uint, uint16 } from './structure.ts';

const VERSIONS_BYTES_MAX = 16;
/** One member with every field at its bound, and room for fields that we do not know. */
const ENTRY_BYTES_MAX = 4_096;
const HEADER = structure({ nodes: uint(MEMBERS_MAX), userStateLen: uint(STREAM_BYTES_MAX), join: bool });
const NODE = structure({
  name: text(NAME_BYTES_MAX),
  addr: address,
  port: uint16,
  meta: bytes(META_BYTES_MAX),
  incarnation: uint(INCARNATION_MAX),
  state: uint(3),
  vsn: bytes(VERSIONS_BYTES_MAX),
});

/** `state`: 0 alive, 1 suspect, 2 dead, 3 left. */
export type PushedNode = ReturnType<typeof NODE.read>;

export interface PushPull {
  readonly isJoin: boolean;
  readonly nodes: readonly PushedNode[];
  readonly userState: Uint8Array;
}

/** The whole message, type byte first. */
export function writePushPull({ isJoin, nodes, userState }: PushPull): Buffer {
  const writer = new MsgpackWriter().raw(MESSAGE.pushPull);
  HEADER.write(writer, { nodes: nodes.length, userStateLen: userState.length, join: isJoin });
  for (const node of nodes) NODE.write(writer, node);
  return writer.append(userState).finish();
}

/** `message` is whole, its type byte in front. @throws WireFault */
export function readPushPull(message: Buffer): PushPull {
  const reader = new PushPullReader();
  return reader.read(message);
}

/** Reads a message that may not be there yet: what was read of a first attempt is not read again in the next. */
export class PushPullReader {
  #header: ReturnType<typeof HEADER.read> | undefined;
  readonly #nodes: PushedNode[] = [];
  #at = 1;

  /** `message` from its beginning, longer than the last time. @throws WireFault truncated while more must come; else final */
  read(message: Buffer): PushPull {
    try {
      return this.#read(message);
    } catch (error) {
      const isStuck = error instanceof WireFault && error.reason === 'truncated' && !this.#hasAllNodes();
      if (isStuck && message.length - this.#at > ENTRY_BYTES_MAX)
        throw new WireFault('oversized', 'An entry is too long');
      throw error;
    }
  }

  #hasAllNodes(): boolean {
    return this.#header !== undefined && this.#nodes.length >= this.#header.nodes;
  }

  #read(message: Buffer): PushPull {
    const reader = new MsgpackReader(message, this.#at);
    this.#header ??= HEADER.read(reader);
    this.#at = reader.offset;
    while (this.#nodes.length < this.#header.nodes) {
      const node = NODE.read(reader);
      if (node.name === '' || node.addr === '' || node.port === 0) {
        throw new WireFault('malformed', 'A member without name, address or port');
      }
      this.#nodes.push({ ...node, meta: Uint8Array.from(node.meta), vsn: Uint8Array.from(node.vsn) });
      this.#at = reader.offset;
    }
    const userState = takeExactly(message, this.#at, this.#header.userStateLen);
    return { isJoin: this.#header.join, nodes: this.#nodes, userState };
  }
}

function takeExactly(message: Buffer, start: number, length: number): Buffer {
  if (message.length - start < length) throw new WireFault('truncated', 'The user state is cut short');
  return message.subarray(start, start + length);
}
