/**
 * How a kubeconfig names a credential plugin, and what such a program answers (kubernetes `client.authentication.k8s.io`, v1 and
 * v1beta1). Pure.
 */
import { CodedError } from '../../../../core/runtime/errors.ts';
import { field, listField, textField } from '../../extract/values.ts';
import { fileAt } from './cluster-entry.ts';
import { type Entry, EntryReader } from './entry-reader.ts';

const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

export interface ExecEntry {
  readonly apiVersion: string;
  /** A name that PATH finds, or the full path of a file. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What to tell a user whose machine does not have it. */
  readonly installHint: string | undefined;
  readonly wantsCluster: boolean;
}

/** What a plugin gave. */
export interface ExecCredential {
  readonly token: string | undefined;
  /** PEM. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Milliseconds since the epoch; undefined: until it is refused. */
  readonly expiresMs: number | undefined;
}

/** @throws CodedError INVALID_ARGUMENT with file and line */
export function readExecEntry(user: Entry): ExecEntry {
  const reader = new EntryReader(user);
  const apiVersion = reader.text('exec', 'apiVersion') ?? '';
  if (!API_VERSIONS.includes(apiVersion)) {
    throw reader.problem(
      ['exec', 'apiVersion'],
      `"${apiVersion}" is not supported: it is one of ${API_VERSIONS.join(', ')}`,
    );
  }
  const command = reader.text('exec', 'command');
  if (command === undefined) throw reader.problem(['exec', 'command'], 'it is missing');
  if (reader.text('exec', 'interactiveMode') === 'Always') {
    throw reader.problem(['exec', 'interactiveMode'], 'the plugin wants a terminal, and there is none');
  }
  const env = listField(user.value, 'exec', 'env').flatMap((item): [string, string][] => {
    const [name, value] = [textField(item, 'name'), field(item, 'value')];
    return name === undefined || typeof value !== 'string' ? [] : [[name, value]];
  });
  return {
    apiVersion,
    // As client-go: a path is relative to the kubeconfig, a bare name is looked for on the PATH.
    command: command.includes('/') ? (fileAt(user, command) ?? command) : command,
    args: reader.texts('exec', 'args'),
    env: Object.fromEntries(env),
    installHint: reader.text('exec', 'installHint'),
    wantsCluster: reader.flag('exec', 'provideClusterInfo'),
  };
}

/** What goes to the plugin in KUBERNETES_EXEC_INFO. */
export function execInfo({ apiVersion, wantsCluster }: ExecEntry, cluster: unknown): string {
  const told = {
    server: field(cluster, 'server'),
    'tls-server-name': field(cluster, 'tls-server-name'),
    'insecure-skip-tls-verify': field(cluster, 'insecure-skip-tls-verify'),
    'certificate-authority-data': field(cluster, 'certificate-authority-data'),
    config: listField(cluster, 'extensions')
      .filter((extension) => textField(extension, 'name') === 'client.authentication.k8s.io/exec')
      .map((extension) => field(extension, 'extension'))
      .at(0),
  };
  const spec = { interactive: false, ...(wantsCluster && { cluster: told }) };
  return JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
}

/** @throws CodedError UNAUTHENTICATED; the answer is not repeated */
export function readExecCredential(output: string, { apiVersion, command }: ExecEntry): ExecCredential {
  const refused = (reason: string) => new CodedError('UNAUTHENTICATED', `Credential plugin "${command}" ${reason}`);
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw refused('did not answer with JSON');
  }
  if (textField(answer, 'kind') !== 'ExecCredential' || textField(answer, 'apiVersion') !== apiVersion) {
    throw refused(`did not answer with an ExecCredential of "${apiVersion}"`);
  }
  const token = textField(answer, 'status', 'token');
  const certificate = textField(answer, 'status', 'clientCertificateData');
  const key = textField(answer, 'status', 'clientKeyData');
  if ((certificate === undefined) !== (key === undefined)) throw refused('gave a certificate or a key, but not both');
  if (token === undefined && certificate === undefined) throw refused('gave neither a token nor a certificate');
  const expires = textField(answer, 'status', 'expirationTimestamp');
  const expiresMs = expires === undefined ? undefined : Date.parse(expires);
  if (Number.isNaN(expiresMs)) throw refused('gave a time of expiry that is no time');
  return { token, certificate, key, expiresMs };
}
