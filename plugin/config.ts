/**
 * The node's configuration: every knob, typed, validated and frozen. Secrets are not in it, only the files that hold
 * them (`config/node-secrets.ts`).
 */
import { join } from 'node:path';
import { readConfig } from '../core/runtime/config.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import { type NodeFile, nodeConflicts } from './config/node-conflicts.ts';
import { nodeShape } from './config/node-shape.ts';

export type ClaimMode = 'off' | 'local' | 'fleet';

/** Docker's `config.json`. One that was named must be there; the default one may be absent. */
export interface DockerConfigFile {
  readonly file: string;
  readonly isRequired: boolean;
}

/** Field by field as in the file (see `config/node-shape.ts` for defaults and units), with what is derived filled in. */
export type NodeConfig = Omit<NodeFile, 'content' | 'upstream'> & {
  readonly content: Omit<NodeFile['content'], 'claim'> & { readonly claim: ClaimMode };
  readonly upstream: Omit<NodeFile['upstream'], 'dockerConfig'> & {
    /** undefined when none is named and there is no home directory. */
    readonly dockerConfig: DockerConfigFile | undefined;
  };
};

export type RegistryConfig = NodeConfig['upstream']['registries'][number];

export interface NodeConfigSource {
  readonly text: string;
  /** How messages name the file. */
  readonly file: string;
  /** For `${NAME}` in strings, and DOCKER_CONFIG and HOME for the default of `upstream.docker_config`. */
  readonly env: Environment;
  /** The default of `node.name`. */
  readonly hostName: string;
}

/**
 * Reads a node configuration.
 * @throws CodedError INVALID_ARGUMENT listing everything wrong, `file:line: key: message` a line
 */
export function parseNodeConfig(source: NodeConfigSource): NodeConfig {
  const file = readConfig(nodeShape(source.hostName), source, nodeConflicts);
  const { content, upstream } = file;
  return Object.freeze({
    ...file,
    content: Object.freeze({ ...content, claim: content.claim ?? defaultClaim(content.containerd) }),
    upstream: Object.freeze({ ...upstream, dockerConfig: dockerConfigOf(upstream.dockerConfig, source.env) }),
  });
}

/** Claims that could not be given back are never made. */
function defaultClaim(containerd: string | undefined): ClaimMode {
  return containerd === undefined ? 'local' : 'fleet';
}

function dockerConfigOf(named: string | undefined, env: Environment): DockerConfigFile | undefined {
  if (named !== undefined) return Object.freeze({ file: named, isRequired: true });
  const folder = env.DOCKER_CONFIG || (env.HOME ? join(env.HOME, '.docker') : undefined);
  return folder === undefined ? undefined : Object.freeze({ file: join(folder, 'config.json'), isRequired: false });
}
