/** An API server as a kubeconfig's context names it. */
import { readClusterEntry } from './cluster-entry.ts';
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { Clock } from '../../../../core/runtime/clock.ts';
import { ExecPlugin } from './exec-plugin.ts';
import { KeptFile } from './kept-file.ts';
import type { ChosenContext } from './kubeconfig.ts';
import type { Environment, ServerAccess } from './server-access.ts';
import { NOBODY, readUserEntry, type TextOrFile, type UserEntry } from './user-entry.ts';

export interface KubeconfigDeps {
  readonly env: Environment;
  readonly clock: Clock;
  /** For a plugin, milliseconds. */
  readonly pluginDeadlineMs?: number;
}

interface ReadOptions {
  readonly isRefused: boolean;
  readonly signal: AbortSignal;
}

type Reading = (options: ReadOptions) => Promise<string | undefined>;

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** @throws CodedError INVALID_ARGUMENT, with file and line, when the context cannot be used */
export function kubeconfigAccess(context: ChosenContext, deps: KubeconfigDeps): ServerAccess {
  const cluster = readClusterEntry(context.cluster);
  const user = context.user === undefined ? NOBODY : readUserEntry(context.user);
  refusePlainSecrets(cluster.server, user);
  const reading = (what: TextOrFile | undefined) => readingOf(what, deps.clock);
  const readCa = reading(cluster.ca === undefined ? fileOf(cluster.caFile) : { text: cluster.ca });
  const [readToken, readCertificate, readKey] = [reading(user.token), reading(user.certificate), reading(user.key)];
  const plugin = user.exec === undefined ? undefined : new ExecPlugin(pluginDeps(deps), user.exec, cluster.value);
  return {
    server: cluster.server,
    name: context.name,
    namespace: context.namespace,
    async credentials(options) {
      const given = await plugin?.credential(options);
      const token = given?.token ?? (await readToken(options));
      return {
        headers: { ...authorization(token, user), ...user.impersonation },
        tls: {
          ca: await readCa(options),
          certificate: given?.certificate ?? (await readCertificate(options)),
          key: given?.key ?? (await readKey(options)),
          serverName: cluster.serverName,
          isInsecure: cluster.isInsecure,
        },
      };
    },
  };
}

/** `kubectl proxy` on this machine is all that plain http is for. */
function refusePlainSecrets(server: URL, user: UserEntry): void {
  const hasSecret = (user.token ?? user.basic ?? user.exec) !== undefined;
  if (server.protocol === 'https:' || !hasSecret || LOOPBACK.test(server.hostname)) return;
  throw new CodedError('INVALID_ARGUMENT', `Credentials are not sent to "${server.host}" over plain http`);
}

function authorization(token: string | undefined, { basic }: UserEntry): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (basic === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` };
}

function readingOf(what: TextOrFile | undefined, clock: Clock): Reading {
  if (what === undefined) return async () => undefined;
  if ('text' in what) return async () => what.text;
  const file = new KeptFile(what.file, clock);
  return (options) => file.read(options);
}

function fileOf(file: string | undefined): TextOrFile | undefined {
  return file === undefined ? undefined : { file };
}

function pluginDeps({ env, clock, pluginDeadlineMs }: KubeconfigDeps) {
  return { env, clock, ...(pluginDeadlineMs !== undefined && { deadlineMs: pluginDeadlineMs }) };
}
