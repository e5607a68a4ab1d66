/** The node's configuration from its file. */
import { readFile } from 'node:fs/promises';
import { CodedError, errnoOf, messageOf } from '../core/runtime/errors.ts';
import { type NodeConfig, parseNodeConfig } from '../plugin/config.ts';
import type { Host } from './host.ts';

export const CONFIG_FILE = '/etc/shoal/shoal.toml';

/**
 * Reads `file`.
 * @throws CodedError INVALID_ARGUMENT naming the file, and line and key of everything wrong in it
 */
export async function readNodeConfig(file: string, host: Host): Promise<NodeConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const hint = errnoOf(error) === 'ENOENT' ? '; --config names another, and an empty one will do' : '';
    throw new CodedError('INVALID_ARGUMENT', `Reading the configuration "${file}" failed: ${messageOf(error)}${hint}`, {
      cause: error,
    });
  });
  return parseNodeConfig({ text, file, env: host.env, hostName: host.hostName });
}
