/** Calls for the tests of the endpoint: they echo, count, and say when they are told that a client is gone. */
import type { CallHandler, CallStream, OpenCall } from './call-stream.ts';

export interface EchoCalls {
  readonly openCall: OpenCall;
  /** Calls that were opened and neither ended nor told that their client is gone. */
  running(): number;
}

/** `/echo` answers each message with itself, `/sum` all bytes by their count at the end, `/never` nothing at all. */
export function echoCalls(): EchoCalls {
  const running = new Set<CallStream>();
  const openCall: OpenCall = (path, stream) => {
    if (!['/echo', '/sum', '/never', '/slow'].includes(path)) {
      stream.end({ code: 12, details: `no "${path}"` });
      return undefined;
    }
    running.add(stream);
    return handlerOf(path, stream, () => running.delete(stream));
  };
  return { openCall, running: () => [...running].filter((stream) => !stream.isOver).length };
}

function handlerOf(path: string, stream: CallStream, over: () => void): CallHandler {
  let bytes = 0;
  const end = () => {
    stream.end({ code: 0, details: '' });
    over();
  };
  return {
    onMessage(message) {
      bytes += message.length;
      if (path === '/echo') return stream.send([message.subarray(0, 3), message.subarray(3)]);
      return path === '/slow' ? new Promise((resolve) => setTimeout(resolve, 5)) : undefined;
    },
    onEnd() {
      if (path === '/never') return;
      if (path === '/echo') end();
      else {
        stream.answer([Buffer.from(String(bytes))]);
        over();
      }
    },
    onGone: over,
  };
}

/** A message as gRPC frames it. */
export function grpcMessage(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
