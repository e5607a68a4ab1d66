/** One JSON value a line, written no faster than it is read. */
import type { ServerResponse } from 'node:http';
import { CodedError } from '../../core/runtime/errors.ts';
import { COMMON_HEADERS } from './json-answers.ts';

/** A reader that takes nothing for so long is gone. */
const STALL_MS = 30_000;

export interface JsonLines {
  /** @throws CodedError CANCELLED when the reader is gone or has stalled */
  write(value: unknown): Promise<void>;
  end(): void;
}

/** Starts an answer of `application/x-ndjson`. */
export function startJsonLines(response: ServerResponse): JsonLines {
  response.writeHead(200, { ...COMMON_HEADERS, 'content-type': 'application/x-ndjson; charset=utf-8' });
  return {
    async write(value) {
      if (response.destroyed) throw gone();
      if (!response.write(`${JSON.stringify(value)}\n`)) await drained(response);
    },
    end: () => void response.end(),
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      clearTimeout(timer);
      response.off('drain', settle).off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = () => settle(gone());
    const timer = setTimeout(() => {
      settle(gone());
      response.destroy();
    }, STALL_MS);
    response.once('drain', settle).once('close', onClose);
  });
}

function gone(): CodedError {
  return new CodedError('CANCELLED', 'Whoever asked has stopped reading');
}
