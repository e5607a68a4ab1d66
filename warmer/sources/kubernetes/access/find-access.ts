/** Which cluster is meant: a kubeconfig that is named, else the one around this pod, else $KUBECONFIG or ~/.kube/config. */
import { delimiter, join } from 'node:path';
import { CodedError, errnoOf, messageOf } from '../../../../core/runtime/errors.ts';
import type { SourceDocument } from '../../documents.ts';
import { readFileText } from '../../files/bounded-read.ts';
import { inClusterAccess, isInCluster } from './in-cluster.ts';
import { chooseContext, readKubeconfig } from './kubeconfig.ts';
import { type KubeconfigDeps, kubeconfigAccess } from './kubeconfig-access.ts';
import type { ServerAccess } from './server-access.ts';

/** Configurations of hundreds of clusters have some megabytes. */
const KUBECONFIG_BYTES_MAX = 16 * 1024 * 1024;
const KUBECONFIGS_MAX = 64;

export interface AccessOptions {
  /** A file; undefined: what is found. */
  readonly kubeconfig?: string | undefined;
  /** undefined: the current one. */
  readonly context?: string | undefined;
}

export interface AccessDeps extends KubeconfigDeps {
  readonly homeDirectory: string;
  /** Where a pod finds its service account. */
  readonly accountDirectory?: string;
}

/** @throws CodedError INVALID_ARGUMENT with file and line; NOT_FOUND when no cluster is named anywhere */
export async function findAccess(
  deps: AccessDeps,
  { kubeconfig, context }: AccessOptions,
  { signal }: { signal: AbortSignal },
): Promise<ServerAccess> {
  const { env, clock, accountDirectory } = deps;
  const inCluster = { env, clock, ...(accountDirectory !== undefined && { directory: accountDirectory }) };
  const isAnyMeant = kubeconfig === undefined && context === undefined;
  if (isAnyMeant && (await isInCluster(inCluster))) return inClusterAccess(inCluster);
  const documents = kubeconfig === undefined ? await foundFiles(deps, signal) : [await readOne(kubeconfig, signal)];
  return kubeconfigAccess(chooseContext(documents, context), deps);
}

/** Of a list of files those that are there (client-go `ClientConfigLoadingRules`). */
async function foundFiles({ env, homeDirectory }: AccessDeps, signal: AbortSignal): Promise<SourceDocument[]> {
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  const files = listed.length > 0 ? listed : [join(homeDirectory, '.kube/config')];
  const documents: SourceDocument[] = [];
  for (const file of files.slice(0, KUBECONFIGS_MAX)) {
    const document = await readOne(file, signal).catch((error) => {
      if (error instanceof CodedError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
    if (document !== undefined) documents.push(document);
  }
  if (documents.length > 0) return documents;
  throw new CodedError('NOT_FOUND', `No cluster is named: this is no pod, and there is no ${files.join(', ')}`);
}

async function readOne(file: string, signal: AbortSignal): Promise<SourceDocument> {
  let text: string;
  try {
    text = await readFileText(file, { signal, bytesMax: KUBECONFIG_BYTES_MAX });
  } catch (error) {
    signal.throwIfAborted();
    const code = errnoOf(error) === 'ENOENT' ? 'NOT_FOUND' : 'FAILED_PRECONDITION';
    throw new CodedError(code, `Read of kubeconfig "${file}" failed: ${messageOf(error)}`, { cause: error });
  }
  // An empty file is as good as none, as for kubectl.
  if (text.trim() === '') throw new CodedError('NOT_FOUND', `Kubeconfig "${file}" is empty`);
  return readKubeconfig(text, file);
}
