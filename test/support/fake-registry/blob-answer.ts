/** Turns the right answer to a request for a blob into the wrong one that faults ask for. */
import type { ImageAnswer } from '../../../cli/demo/image-server.ts';
import type { Faults } from './faults.ts';

/** `answer` with wrong bytes, a wrong length, or a wrong word about its length. */
export function spoilBlob(answer: ImageAnswer, faults: Faults): ImageAnswer {
  let { body, headers } = answer;
  if (faults.wrongBytes && body.length > 0) {
    body = Buffer.from(body);
    body.writeUInt8(body.readUInt8(0) ^ 0xff, 0);
  }
  if (faults.sizeLie !== undefined) headers = lie(headers, faults.sizeLie);
  if (faults.extraBytes !== undefined) {
    const { 'content-length': _, ...rest } = headers;
    headers = rest;
    body = Buffer.concat([body, Buffer.alloc(Math.max(0, faults.extraBytes))]).subarray(
      0,
      body.length + faults.extraBytes,
    );
  }
  return { ...answer, body, headers };
}

function lie(headers: Record<string, string>, difference: number): Record<string, string> {
  const range = headers['content-range']?.replace(/\d+$/, (size) => `${Number(size) + difference}`);
  return {
    ...headers,
    ...(range === undefined
      ? { 'content-length': `${Number(headers['content-length']) + difference}` }
      : { 'content-range': range }),
  };
}
