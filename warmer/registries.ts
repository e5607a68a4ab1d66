/** The registries as the warmer asks them: credentials, endpoints, and the reserve that is told of every limit. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CredentialSource } from '../core/registry/credentials.ts';
import { DockerCredentials } from '../core/registry/docker-credentials.ts';
import { createRegistryClient, type HttpRegistryClient } from '../core/registry/http-registry-client.ts';
import type { RegistryEndpoint } from '../core/registry/registry-client.ts';
import type { Clock } from '../core/runtime/clock.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import { CodedError, messageOf } from '../core/runtime/errors.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { WarmerConfig } from './config.ts';
import { RegistryReserve } from './images/registry-reserve.ts';
import { readSecretFile } from './secret-file.ts';

/** A bundle of every authority there is has a quarter of this. */
const CA_BYTES_MAX = 1024 * 1024;

export interface RegistriesDeps {
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  random(): number;
}

export interface Registries {
  readonly client: HttpRegistryClient;
  readonly credentials: CredentialSource;
  readonly reserve: RegistryReserve;
  readonly endpoints: readonly RegistryEndpoint[];
}

/** @throws CodedError INVALID_ARGUMENT naming key and file, for a file that cannot be read */
export async function createRegistries({ upstream }: WarmerConfig, deps: RegistriesDeps): Promise<Registries> {
  const { env, clock, log, random } = deps;
  const endpoints = await Promise.all(upstream.registries.map(endpointOf));
  const folder = env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), '.docker');
  const path = upstream.dockerConfig ?? join(folder, 'config.json');
  const onProblem = (problem: string) => log.warn({ problem }, 'Part of the docker configuration is not understood');
  const credentials = new DockerCredentials({ path, env, onProblem });
  const reserve = new RegistryReserve(clock, { reserve: upstream.reserve });
  const observer = { onRateLimit: (limit: Parameters<RegistryReserve['saw']>[0]) => reserve.saw(limit) };
  const client = createRegistryClient({ credentials, clock, random }, { observer });
  return { client, credentials, reserve, endpoints };
}

type RegistryConfig = WarmerConfig['upstream']['registries'][number];

async function endpointOf(registry: RegistryConfig, index: number): Promise<RegistryEndpoint> {
  const { host, endpoint, caFile, username, passwordFile } = registry;
  const key = `upstream.registry[${index}]`;
  const ca = caFile === undefined ? undefined : await readCertificates(`${key}.ca_file`, caFile);
  const password = passwordFile === undefined ? '' : await readSecretFile(`${key}.password_file`, passwordFile);
  return {
    host,
    url: endpoint ?? `https://${host}`,
    isConfigured: true,
    ...(ca !== undefined && { ca }),
    ...(username !== undefined && { credential: { kind: 'basic', username, password } }),
  };
}

async function readCertificates(key: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CodedError('INVALID_ARGUMENT', `Reading ${key} "${file}" failed: ${messageOf(error)}`, { cause: error });
  });
  if (text.length <= CA_BYTES_MAX && text.includes('-----BEGIN CERTIFICATE-----')) return text;
  const reason = `${key} "${file}" holds no PEM certificates, or more than ${CA_BYTES_MAX} characters`;
  throw new CodedError('INVALID_ARGUMENT', reason);
}
