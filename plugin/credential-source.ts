/** Where this node has its registry credentials from: the kubelet's plugins, then docker's file. */
import { access } from 'node:fs/promises';
import { anonymous, type CredentialSource } from '../core/registry/credentials.ts';
import { DockerCredentials } from '../core/registry/docker-credentials.ts';
import { firstCredentials } from '../core/registry/first-credentials.ts';
import { KubeletCredentials } from '../core/registry/kubelet/kubelet-credentials.ts';
import type { Clock } from '../core/runtime/clock.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import { CodedError, fromErrno, messageOf } from '../core/runtime/errors.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { DockerConfigFile, NodeConfig } from './config.ts';

export interface CredentialSourceDeps {
  /** Of helpers and plugins. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws CodedError naming the setting when a file that was named is not there or cannot be used */
export async function credentialSource(
  { upstream }: NodeConfig,
  deps: CredentialSourceDeps,
): Promise<CredentialSource> {
  const { dockerConfig, credentialProviderConfig: config, credentialProviderBinDir: binDirectory } = upstream;
  // The operator has said for which images plugins answer; docker's file may hold something older for the same registry.
  const kubelet = config && binDirectory ? [await kubeletSource({ config, binDirectory }, deps)] : [];
  const docker = dockerConfig ? [await dockerSource(dockerConfig, deps)] : [];
  const sources = [...kubelet, ...docker];
  const [only = anonymous, ...others] = sources;
  return others.length === 0 ? only : firstCredentials(sources);
}

async function kubeletSource(
  { config, binDirectory }: { config: string; binDirectory: string },
  { env, clock, log }: CredentialSourceDeps,
): Promise<CredentialSource> {
  await access(binDirectory).catch((error: unknown) => {
    throw fromErrno(error, `upstream.credential_provider_bin_dir "${binDirectory}" cannot be read`);
  });
  const onProblem = (problem: string) =>
    log.warn({ file: config, problem }, "Part of the kubelet's credential provider configuration is not used");
  const source = new KubeletCredentials({ config, binDirectory, env, clock, onProblem });
  await source.check().catch((error: unknown) => {
    const message = `upstream.credential_provider_config: ${messageOf(error)}`;
    throw new CodedError('INVALID_ARGUMENT', message, { cause: error });
  });
  return source;
}

async function dockerSource(file: DockerConfigFile, { env, log }: CredentialSourceDeps): Promise<CredentialSource> {
  if (file.isRequired) {
    await access(file.file).catch((error: unknown) => {
      throw fromErrno(error, `upstream.docker_config "${file.file}" cannot be read`);
    });
  }
  const onProblem = (problem: string) =>
    log.warn({ file: file.file, problem }, 'Part of the docker configuration is not understood');
  return new DockerCredentials({ path: file.file, env, onProblem });
}
