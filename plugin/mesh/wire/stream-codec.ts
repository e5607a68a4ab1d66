/**
 * One message over a stream: label, seal with its length, compression; without a seal nothing says how long it is, so
 * it is read as it comes. (memberlist `net.go` readStream, rawSendMsgStream)
 */
import { INFLATED_STREAM_BYTES_MAX, STREAM_BYTES_MAX } from '../limits.ts';
import { inflateMessage } from './compressed.ts';
import { type Keyring, SEAL_BYTES } from './keyring.ts';
import { labelHeader, withoutLabel } from './label.ts';
import { MESSAGE } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { PushPullReader } from './push-pull.ts';
import { WireFault } from './wire-fault.ts';

const SEALED_HEADER_BYTES = 5;
/** Longer than any field's name. */
const USER_HEADER_BYTES_MAX = 64;
/** Pings, acks, errors with every field at its bound. */
const SMALL_BYTES_MAX = 4_096;

export interface StreamCodecDeps {
  readonly keyring?: Keyring | undefined;
  readonly label?: string | undefined;
}

/** Reads one message of a stream, chunk by chunk. */
export interface StreamAssembler {
  /** Bytes held. */
  readonly size: number;
  /** The plain message, type byte first, once it is whole. @throws WireFault when it never will be */
  push(chunk: Uint8Array): Buffer | undefined;
}

export class StreamCodec {
  readonly #keyring: Keyring | undefined;
  readonly #label: Buffer;
  readonly #labelText: Buffer;

  /** @throws CodedError INVALID_ARGUMENT for a label that is too long */
  constructor(deps: StreamCodecDeps) {
    this.#keyring = deps.keyring;
    this.#label = labelHeader(deps.label ?? '');
    this.#labelText = Buffer.from(deps.label ?? '', 'utf8');
  }

  /** All bytes that go over the stream in one direction. `hasLabel`: only who opened it labels it. */
  seal(message: Buffer, options: { hasLabel: boolean }): Buffer {
    const label = options.hasLabel ? this.#label : Buffer.alloc(0);
    if (this.#keyring === undefined) return Buffer.concat([label, message]);
    const head = Buffer.alloc(SEALED_HEADER_BYTES);
    head[0] = MESSAGE.encrypt;
    head.writeUInt32BE(message.length + SEAL_BYTES, 1);
    const sealed = this.#keyring.seal(message, Buffer.concat([head, this.#labelText]));
    return Buffer.concat([label, head, sealed]);
  }

  /** `hasLabel` as for `seal`. */
  assemble(options: { hasLabel: boolean }): StreamAssembler {
    const held = new GrowingBytes();
    const label = options.hasLabel ? this.#label : Buffer.alloc(0);
    const pushPull = new PushPullReader();
    return {
      get size() {
        return held.size;
      },
      push: (chunk) => {
        held.append(chunk);
        try {
          const bytes = withoutLabel(held.view(), label);
          return this.#keyring === undefined
            ? plainMessage(bytes, pushPull)
            : this.#sealedMessage(this.#keyring, bytes);
        } catch (error) {
          if (!(error instanceof WireFault) || error.reason !== 'truncated') throw error;
          if (held.size >= STREAM_BYTES_MAX) throw new WireFault('oversized', 'A stream message is too long');
          return undefined;
        }
      },
    };
  }

  #sealedMessage(keyring: Keyring, bytes: Buffer): Buffer {
    const type = bytes[0];
    if (type === undefined) throw new WireFault('truncated', 'The message has not begun');
    if (type !== MESSAGE.encrypt) throw new WireFault('unencrypted', 'A stream message is not sealed');
    if (bytes.length < SEALED_HEADER_BYTES) throw new WireFault('truncated', 'The header is not whole');
    const length = bytes.readUInt32BE(1);
    if (length > STREAM_BYTES_MAX) throw new WireFault('oversized', `A sealed message of ${length} bytes`);
    if (length < SEAL_BYTES) throw new WireFault('malformed', `A sealed message of ${length} bytes`);
    const end = SEALED_HEADER_BYTES + length;
    if (bytes.length < end) throw new WireFault('truncated', 'The sealed message is not whole');
    const authenticated = Buffer.concat([bytes.subarray(0, SEALED_HEADER_BYTES), this.#labelText]);
    const plain = keyring.open(bytes.subarray(SEALED_HEADER_BYTES, end), authenticated);
    return whole(() => plainMessage(plain, new PushPullReader()));
  }
}

/** A message whose bytes have all come: what is missing now never comes. */
function whole(read: () => Buffer): Buffer {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireFault && error.reason === 'truncated') throw new WireFault('malformed', error.message);
    throw error;
  }
}

/** The message at the beginning of `bytes`, inflated. @throws WireFault truncated while more must come */
function plainMessage(bytes: Buffer, pushPull: PushPullReader): Buffer {
  switch (bytes[0]) {
    case undefined:
      throw new WireFault('truncated', 'The message has not begun');
    case MESSAGE.encrypt:
      throw new WireFault('undecryptable', 'A sealed message, and there is no key');
    case MESSAGE.compress: {
      passCompressed(bytes);
      const inner = whole(() => inflateMessage(bytes, { bytesMax: INFLATED_STREAM_BYTES_MAX }));
      if (inner[0] === MESSAGE.compress) throw new WireFault('malformed', 'Compressed twice');
      return whole(() => plainMessage(inner, new PushPullReader()));
    }
    case MESSAGE.pushPull:
      pushPull.read(bytes);
      return bytes;
    case MESSAGE.ping:
    case MESSAGE.ack:
    case MESSAGE.error:
      skipOne(bytes);
      return bytes;
    case MESSAGE.user:
      return userMessage(bytes);
    default:
      throw new WireFault('unsupported', `Message type ${bytes[0]} on a stream`);
  }
}

/** A user message on a stream has a header with its length; what we give is in the form of a packet's. */
function userMessage(bytes: Buffer): Buffer {
  const reader = new MsgpackReader(bytes, 1);
  if (reader.mapSize() !== 1) throw new WireFault('malformed', 'A user message has no length');
  reader.text(USER_HEADER_BYTES_MAX);
  const length = reader.uint(STREAM_BYTES_MAX);
  const end = reader.offset + length;
  if (bytes.length < end) throw new WireFault('truncated', 'The user message is not whole');
  return Buffer.concat([Buffer.of(MESSAGE.user), bytes.subarray(reader.offset, end)]);
}

function skipOne(bytes: Buffer): void {
  if (bytes.length > SMALL_BYTES_MAX) throw new WireFault('oversized', 'A small message is too long');
  new MsgpackReader(bytes, 1).skip();
}

/** Two fields, whatever their order. Cheap, because it is tried again at each chunk. */
function passCompressed(bytes: Buffer): void {
  const reader = new MsgpackReader(bytes, 1);
  if (reader.mapSize() !== 2) throw new WireFault('malformed', 'A compressed message has other fields than two');
  for (let field = 0; field < 2; field += 1) {
    if (reader.text(USER_HEADER_BYTES_MAX) === 'Buf') reader.bytes(STREAM_BYTES_MAX);
    else reader.uint(0xff);
  }
}

/** Chunks in one buffer that doubles, so that a long message is copied a few times, not once a chunk. */
class GrowingBytes {
  #buffer = Buffer.allocUnsafe(4_096);
  size = 0;

  append(chunk: Uint8Array): void {
    const wanted = this.size + chunk.length;
    if (wanted > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2));
      larger.set(this.view());
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.size);
    this.size = wanted;
  }

  view(): Buffer {
    return this.#buffer.subarray(0, this.size);
  }
}
