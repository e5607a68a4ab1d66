/**
 * Takes the startup taint from nodes that are warm: those that the warmer's plan has nothing left to bring to, and those that have
 * waited too long. Runs in the cluster by the image's own Node, with nothing beside it; what it may do is its account's.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const ACCOUNT = process.env.ACCOUNT_DIRECTORY ?? '/var/run/secrets/kubernetes.io/serviceaccount';
const API =
  process.env.KUBERNETES_API ??
  `https://${bracketed(process.env.KUBERNETES_SERVICE_HOST ?? 'kubernetes.default.svc')}:${process.env.KUBERNETES_SERVICE_PORT ?? '443'}`;
const KEY = process.env.TAINT_KEY ?? 'shoal.dev/cold';
const EFFECT = process.env.TAINT_EFFECT ?? 'NoSchedule';
const INTERVAL_MS = Number(process.env.INTERVAL_SECONDS ?? 30) * 1000;
const TIMEOUT_MS = Number(process.env.TIMEOUT_SECONDS ?? 900) * 1000;
const [PLAN_PROGRAM = '', ...PLAN_ARGUMENTS] = (process.env.PLAN_COMMAND ?? '').split(' ');
/** One answer of the API server. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Resolving the tags of a large cluster takes its time. */
const PLAN_TIMEOUT_MS = 300_000;
/** A plan of two thousand nodes has some ten megabytes. */
const PLAN_BYTES_MAX = 256 * 1024 * 1024;
const PAGE = 500;

interface Taint {
  readonly key: string;
  readonly effect: string;
}

interface Node {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly spec: { readonly taints?: readonly Taint[] };
}

const run = promisify(execFile);
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
while (!stop.signal.aborted) {
  await round().catch((error: unknown) => say('error', { reason: String(error) }, 'Round failed'));
  await sleep(INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
}

async function round(): Promise<void> {
  const cold = (await allNodes()).filter(isCold);
  if (cold.length === 0) return;
  const missing = await missingBytes().catch((error: unknown) => {
    say('error', { reason: String(error) }, 'There is no plan; nodes wait for it, or for their time to end');
    return new Map<string, number>();
  });
  for (const node of cold) {
    const { name, creationTimestamp } = node.metadata;
    const waitedMs = Date.now() - Date.parse(creationTimestamp);
    // To a node that is not ready the plan brings nothing yet.
    const isWarm = missing.get(name) === 0 && !isSettling(node);
    if (!isWarm && waitedMs < TIMEOUT_MS) continue;
    const isRemoved = await removeTaint(node);
    const facts = { node: name, waitedSeconds: Math.round(waitedMs / 1000), bytesMissing: missing.get(name) ?? null };
    if (!isRemoved) say('info', facts, 'Node has changed meanwhile; trying again');
    else if (isWarm) say('info', facts, 'Node is warm, its taint is gone');
    else say('warn', facts, 'Node is not warm in time, its taint is gone all the same');
  }
}

function isCold(node: Node): boolean {
  return node.spec.taints?.some(isOurs) === true;
}

/** Kubernetes has not let it in yet. */
function isSettling({ spec }: Node): boolean {
  return spec.taints?.some(({ key }) => /^node\.(cloudprovider\.)?kubernetes\.io\//.test(key)) === true;
}

function isOurs({ key, effect }: Taint): boolean {
  return key === KEY && effect === EFFECT;
}

async function allNodes(): Promise<Node[]> {
  const nodes: Node[] = [];
  let next = '';
  do {
    const page = await ask(`/api/v1/nodes?limit=${PAGE}&continue=${encodeURIComponent(next)}`);
    const body = (await page.json()) as { items: Node[]; metadata: { continue?: string } };
    nodes.push(...body.items);
    next = body.metadata.continue ?? '';
  } while (next !== '');
  return nodes;
}

/** What the plan still has to bring to each node that it knows. A node that it does not know is not warm: it may not have joined yet. */
async function missingBytes(): Promise<Map<string, number>> {
  const options = { maxBuffer: PLAN_BYTES_MAX, timeout: PLAN_TIMEOUT_MS, signal: stop.signal };
  // 3: something in the cluster could not be read or resolved. The plan of the rest stands.
  const { stdout } = await run(PLAN_PROGRAM, PLAN_ARGUMENTS, options).catch(
    (error: { code?: unknown; stdout?: string }) => {
      if (error.code === 3 && error.stdout) return { stdout: error.stdout };
      throw error;
    },
  );
  const plan: { nodes: { name: string; bytes_missing: number }[] } = JSON.parse(stdout);
  return new Map(plan.nodes.map(({ name, bytes_missing }) => [name, bytes_missing]));
}

/** False when somebody else has changed the taints since they were read. */
async function removeTaint({ metadata, spec }: Node): Promise<boolean> {
  const taints = spec.taints ?? [];
  const patch = [
    { op: 'test', path: '/spec/taints', value: taints },
    { op: 'replace', path: '/spec/taints', value: taints.filter((taint) => !isOurs(taint)) },
  ];
  const answer = await ask(`/api/v1/nodes/${metadata.name}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json-patch+json' },
    body: JSON.stringify(patch),
  });
  await answer.body?.cancel();
  return answer.ok;
}

async function ask(path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  // The token changes while the pod runs.
  const token = (await readFile(`${ACCOUNT}/token`, 'utf8')).trim();
  const answer = await fetch(`${API}${path}`, {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${token}` },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  });
  // A failed `test` of a patch is 422, a lost race 409.
  if (!answer.ok && answer.status !== 409 && answer.status !== 422) {
    throw new Error(`${init.method ?? 'GET'} ${path} answers ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
  }
  return answer;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function say(level: string, facts: Record<string, unknown>, msg: string): void {
  process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), ...facts, msg })}\n`);
}
