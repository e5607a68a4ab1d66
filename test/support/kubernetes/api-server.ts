/**
 * Kubernetes' own API server on loopback, with an etcd inside (`.ci/kubernetes-api` compiles it). No kubelet, no controller: objects
 * stay as they are written. Users are told by tokens: `admin` may do everything, `limited` and `warmer` what a
 * test permits.
 */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join, resolve } from 'node:path';
import { startDaemon } from '../debian/daemon-process.ts';
import { freePort } from '../debian/free-port.ts';

const READY_MS = 60_000;
export const ADMIN_TOKEN = 'admin-token';
export const LIMITED_TOKEN = 'limited-token';
/** Of the user `warmer`. */
export const WARMER_TOKEN = 'warmer-token';

const repository = resolve(import.meta.dirname, '../../..');
const program = join(process.env.SHOAL_TEST_WORK ?? join(repository, '.work'), 'kube-apiserver/apiserver');

/** Why none can be started here; undefined when one can. */
export function apiServerUnavailable(): string | undefined {
  return existsSync(program)
    ? undefined
    : `Kubernetes' API server is not at ${program} (.ci/kubernetes-api compiles it)`;
}

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** Asks as the administrator. @throws Error for a status that is not 2xx */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** @throws Error with its log when it does not start */
export async function startApiServer(directory: string, flags: readonly string[] = []): Promise<ApiServer> {
  await mkdir(directory, { recursive: true });
  const [port, client, peer] = [await freePort(), await freePort(), await freePort()];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [key, tokens] = [join(directory, 'account.key'), join(directory, 'tokens.csv')];
  await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  await writeFile(
    tokens,
    `${ADMIN_TOKEN},admin,1,system:masters\n${LIMITED_TOKEN},limited,2,\n${WARMER_TOKEN},warmer,3,\n`,
  );
  const log = join(directory, 'apiserver.log');
  const daemon = await startDaemon({
    name: 'apiserver',
    command: [
      ...[program, `--etcd-servers=http://127.0.0.1:${client}`, `--secure-port=${port}`, '--bind-address=127.0.0.1'],
      ...[`--cert-dir=${join(directory, 'certs')}`, `--token-auth-file=${tokens}`, '--authorization-mode=RBAC'],
      ...['--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${key}`],
      ...[`--service-account-signing-key-file=${key}`, '--service-cluster-ip-range=10.0.0.0/24'],
      ...['--disable-admission-plugins=ServiceAccount', ...flags],
    ],
    env: {
      ETCD_DIRECTORY: join(directory, 'etcd'),
      ETCD_CLIENT: `http://127.0.0.1:${client}`,
      ETCD_PEER: `http://127.0.0.1:${peer}`,
    },
    stdoutFile: log,
    stderrFile: log,
  });
  const url = `https://127.0.0.1:${port}`;
  const certificate = join(directory, 'certs/apiserver.crt');
  const readCa = async () => (existsSync(certificate) ? readFile(certificate, 'utf8') : '');
  const call = async (method: string, path: string, body?: unknown) =>
    JSON.parse(await send({ url: `${url}${path}`, method, ca: await readCa(), body })) as unknown;
  // SIGTERM would let it finish its watches first.
  const stop = async () => {
    await daemon.kill();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await daemon.waitUntil('is ready', READY_MS, () =>
      send({ url: `${url}/readyz`, method: 'GET', ca: '', isInsecure: true }).catch(() => undefined),
    );
    return { url, ca: await readCa(), call, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const CONTENT_TYPES: Readonly<Record<string, string>> = { PATCH: 'application/merge-patch+json' };

interface Call {
  readonly url: string;
  readonly method: string;
  readonly ca: string;
  readonly body?: unknown;
  readonly isInsecure?: boolean;
}

function send({ url, method, ca, body, isInsecure = false }: Call): Promise<string> {
  return new Promise((resolvePromise, reject) => {
    const headers = {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      'content-type': CONTENT_TYPES[method] ?? 'application/json',
    };
    const options = { method, headers, ...(isInsecure ? { rejectUnauthorized: false } : { ca }) };
    const outgoing = request(url, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isOk = (answer.statusCode ?? 500) < 300;
        if (isOk) resolvePromise(text);
        else reject(new Error(`${method} ${url} gave ${answer.statusCode}: ${text}`));
      });
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
