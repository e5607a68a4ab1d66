/** The daemon of this node asked over its admin address. */
import { formatHostPort } from '../../core/runtime/config-address.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { NodeConfig } from '../../plugin/config.ts';
import { type Fields, fieldsOf } from '../json-fields.ts';
import { linesOf } from '../../core/runtime/text-lines.ts';

const ANSWER_TIMEOUT_MS = 5_000;

/** @throws CodedError UNAVAILABLE when nobody answers */
export async function askDaemon(config: NodeConfig, path: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<Response> {
  const { host, port } = config.admin.listen;
  // Whoever listens on every address listens on loopback.
  const address = formatHostPort({ host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port });
  return fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
    throw new CodedError('UNAVAILABLE', `Nobody answers on admin.listen (${address})`, { cause: error });
  });
}

export async function askFields(config: NodeConfig, path: string): Promise<Fields> {
  return fieldsOf(await (await askDaemon(config, path)).json());
}

/** @throws CodedError UNAVAILABLE also for an answer that is none: a daemon of another version */
export async function askLines(config: NodeConfig, path: string, timeoutMs?: number): Promise<Fields[]> {
  const answer = await askDaemon(config, path, timeoutMs);
  if (!answer.ok) throw new CodedError('UNAVAILABLE', `The daemon does not answer ${path} (status ${answer.status})`);
  const rows: Fields[] = [];
  for await (const line of linesOf(answer.body ?? [])) rows.push(fieldsOf(JSON.parse(line)));
  return rows;
}
