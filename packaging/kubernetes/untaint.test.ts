/** The script of the chart, run as in the cluster, against an API server and a `shoal` that say what a test wants. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const SCRIPT = join(import.meta.dirname, 'shoal/files/untaint.ts');
const COLD = { key: 'shoal.dev/cold', effect: 'NoSchedule' };
const OTHER = { key: 'gpu', effect: 'NoSchedule' };

interface Patch {
  path: string;
  body: unknown;
  token: string | undefined;
}

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-untaint-'));
  await writeFile(join(directory, 'token'), 'account-token\n');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function node(name: string, ageSeconds: number, taints: object[]) {
  const creationTimestamp = new Date(Date.now() - ageSeconds * 1000).toISOString();
  return { metadata: { name, creationTimestamp }, spec: { taints } };
}

/** Runs the script until it has looked once more after its first round; answers the patches that it sent. */
async function patchesOf(nodes: object[], planCommand: string, answerPatch = 200): Promise<Patch[]> {
  const patches: Patch[] = [];
  let lists = 0;
  let looked: () => void = () => undefined;
  const again = new Promise<void>((resolve) => {
    looked = resolve;
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method === 'PATCH') {
      patches.push({ path: request.url ?? '', body: JSON.parse(body), token: request.headers.authorization });
      response.writeHead(answerPatch).end('{}');
      return;
    }
    // Two pages, as a large cluster has.
    const isFirst = request.url?.endsWith('continue=') === true;
    if (isFirst) lists += 1;
    const items = isFirst ? nodes.slice(0, 1) : nodes.slice(1);
    response.end(JSON.stringify({ items, metadata: isFirst ? { continue: 'more' } : {} }));
    if (lists > 1) looked();
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, [SCRIPT], {
    env: {
      PATH: process.env.PATH,
      ACCOUNT_DIRECTORY: directory,
      KUBERNETES_API: `http://127.0.0.1:${port}`,
      PLAN_COMMAND: planCommand,
      INTERVAL_SECONDS: '0.05',
      TIMEOUT_SECONDS: '600',
    },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    await Promise.race([again, ended]);
    return patches;
  } finally {
    child.kill('SIGTERM');
    await ended;
    server.closeAllConnections();
    server.close();
  }
}

async function plan(nodes: Record<string, number>): Promise<string> {
  const file = join(directory, 'plan.json');
  const rows = Object.entries(nodes).map(([name, bytes_missing]) => ({ name, bytes_missing, images: [] }));
  await writeFile(file, JSON.stringify({ nodes: rows }));
  return `cat ${file}`;
}

describe('untaint.ts', () => {
  it('takes the taint from warm nodes only, and leaves other taints', async () => {
    const nodes = [
      node('warm', 60, [OTHER, COLD]),
      node('cold', 60, [COLD]),
      node('unknown', 60, [COLD]),
      node('never-tainted', 60, [OTHER]),
      node('not-ready', 60, [COLD, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]),
    ];
    const patches = await patchesOf(nodes, await plan({ warm: 0, cold: 5, 'never-tainted': 0, 'not-ready': 0 }));
    expect(patches[0]).toEqual({
      path: '/api/v1/nodes/warm',
      token: 'Bearer account-token',
      body: [
        { op: 'test', path: '/spec/taints', value: [OTHER, COLD] },
        { op: 'replace', path: '/spec/taints', value: [OTHER] },
      ],
    });
    expect(new Set(patches.map(({ path }) => path))).toEqual(new Set(['/api/v1/nodes/warm']));
  });

  it('takes it from those that waited too long, also without a plan', async () => {
    const nodes = [node('old', 700, [COLD]), node('young', 10, [COLD])];
    const patches = await patchesOf(nodes, 'false');
    expect(new Set(patches.map(({ path }) => path))).toEqual(new Set(['/api/v1/nodes/old']));
  });

  it('takes a plan that is one of most things', async () => {
    const script = join(directory, 'in-part');
    await writeFile(script, `#!/bin/sh\n${await plan({ a: 0 })}\nexit 3\n`, { mode: 0o755 });
    const patches = await patchesOf([node('a', 60, [COLD]), node('b', 60, [COLD])], script);
    expect(new Set(patches.map(({ path }) => path))).toEqual(new Set(['/api/v1/nodes/a']));
  });

  it('goes on after a lost race and a server that fails', async () => {
    const nodes = [node('a', 60, [COLD]), node('b', 60, [COLD])];
    expect((await patchesOf(nodes, await plan({ a: 0, b: 0 }), 409)).length).toBeGreaterThan(1);
    expect((await patchesOf(nodes, await plan({ a: 0, b: 0 }), 500)).length).toBeGreaterThan(0);
  });
});
