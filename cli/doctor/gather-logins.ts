/** The registries that this node has a credential for, each tried. */
import { readFile } from 'node:fs/promises';
import { DockerCredentials } from '../../core/registry/docker-credentials.ts';
import { parseDockerConfig } from '../../core/registry/docker-config.ts';
import { errnoOf } from '../../core/runtime/errors.ts';
import type { Environment } from '../../core/runtime/config-reader.ts';
import type { NodeConfig } from '../../plugin/config.ts';
import type { LoginFacts } from './facts.ts';
import { type LoginTry, tryLogin } from './registry-login.ts';

/** Tried; a file of hundreds has been gathered over years, and most of it is not used here. */
const LOGINS_MAX = 20;
const DOCKER_HUB = { host: 'docker.io', url: 'https://registry-1.docker.io' };
const DOCKER_HUB_HOSTS = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

export async function gatherLogins(config: NodeConfig, env: Environment): Promise<LoginFacts[]> {
  const configured = await configuredTries(config);
  const known = new Set(configured.map(({ host }) => host));
  const docker = (await dockerTries(config, env)).filter(({ host }) => !known.has(host));
  return Promise.all([...configured, ...docker].slice(0, LOGINS_MAX).map(tryLogin));
}

async function configuredTries({ upstream }: NodeConfig): Promise<LoginTry[]> {
  const withUser = upstream.registries.filter(({ username }) => username !== undefined);
  return Promise.all(
    withUser.map(async ({ host, endpoint, caFile, username = '', passwordFile }) => ({
      host,
      url: endpoint ?? urlOf(host),
      ca: caFile === undefined ? undefined : await readFile(caFile, 'utf8'),
      credential: {
        kind: 'basic' as const,
        username,
        password: passwordFile === undefined ? '' : (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, ''),
      },
      from: passwordFile ?? 'upstream.registry.username',
    })),
  );
}

async function dockerTries({ upstream }: NodeConfig, env: Environment): Promise<LoginTry[]> {
  const path = upstream.dockerConfig?.file;
  if (path === undefined) return [];
  const bytes = await readFile(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return Buffer.from('{}');
    throw error;
  });
  const { auths, helpers } = parseDockerConfig(bytes);
  const source = new DockerCredentials({ path, env });
  const hosts = [...new Set([...auths.keys(), ...helpers.keys()].map(hostOf))].slice(0, LOGINS_MAX);
  const signal = new AbortController().signal;
  const tries = await Promise.all(
    hosts.map(async (host): Promise<LoginTry[]> => {
      const credential = await source.get(host, { signal }).catch(() => undefined);
      const endpoint = upstream.registries.find((registry) => registry.host === host)?.endpoint;
      return credential === undefined
        ? []
        : [{ host, url: endpoint ?? urlOf(host), ca: undefined, credential, from: path }];
    }),
  );
  return tries.flat();
}

/** A key of docker's file as references name the registry. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
  return DOCKER_HUB_HOSTS.has(host) ? DOCKER_HUB.host : host;
}

function urlOf(host: string): string {
  return host === DOCKER_HUB.host ? DOCKER_HUB.url : `https://${host}`;
}
