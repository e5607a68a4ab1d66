/**
 * `npm run bench:mirror`: a cached blob from the mirror beside the same file from nginx, and many small manifests at once, as
 * JSON on stdout. One machine, interleaved rounds: quote the ratios. Options: `--rounds N`, `--size-mib N`, `--requests N`.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { digestOf } from '../../../core/oci/digest.ts';
import { makeTestDirectory, removeTestDirectory } from '../../support/debian/test-directory.ts';
import { FakeRegistry } from '../../support/fake-registry/fake-registry.ts';
import { startNode } from '../../support/node/node-process.ts';
import { testImage } from '../../support/test-image.ts';
import { median } from '../content/median.ts';
import { nginxUnavailable, startNginx } from './nginx.ts';

const MIB = 2 ** 20;
/** `sysconf(_SC_CLK_TCK)` on Linux. */
const TICKS_PER_SECOND = 100;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    'size-mib': { type: 'string', default: '1024' },
    requests: { type: 'string', default: '1000' },
  },
});
const rounds = Number(values.rounds);
const sizeMib = Number(values['size-mib']);
const requests = Number(values.requests);

const reason = nginxUnavailable();
if (reason !== undefined) throw new Error(reason);
const directory = await makeTestDirectory('shoal-bench-mirror-');
const registry = await FakeRegistry.start();
const node = await startNode({ directory: join(directory, 'n'), registries: [registry], mirror: true });
const files = join(directory, 'files');
const blob = Buffer.alloc(sizeMib * MIB);
for (let at = 0; at < blob.length; at += 4096) blob.writeUInt32LE(at / 4096, at);
const digest = digestOf(blob);
const image = await testImage();
registry.put('bench/app', { ...image, blobs: new Map([...image.blobs, [digest, blob]]) });
await mkdir(files);
await writeFile(join(files, 'blob'), blob);
await writeFile(join(files, 'manifest'), image.manifests.get(image.digest)?.bytes ?? '');
const nginx = await startNginx(join(directory, 'nginx'), files);

try {
  const mirror = `http://${node.mirror}/v2/bench/app`;
  const asked = `?ns=${registry.host}`;
  const ways = {
    mirror: {
      pid: node.pid(),
      blob: `${mirror}/blobs/${digest}${asked}`,
      manifest: `${mirror}/manifests/${image.digest}${asked}`,
    },
    nginx: { pid: nginx.pid, blob: `${nginx.url}/blob`, manifest: `${nginx.url}/manifest` },
  };
  const names = ['mirror', 'nginx'] as const;
  // Once before anything counts: the mirror has it from then on, and both have it in the page cache.
  for (const name of names) await download(ways[name].blob);
  const seen = { mirror: emptyRounds(), nginx: emptyRounds() };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const before = cpuSeconds(ways[name].pid);
      seen[name].mibPerSecond.push((await download(ways[name].blob)) / MIB);
      seen[name].cpuSecondsPerGib.push(((cpuSeconds(ways[name].pid) - before) * 1024) / sizeMib);
      seen[name].manifestP99Ms.push(percentile(await crowd(ways[name].manifest), 0.99));
    }
  }
  const result = { mirror: medians(seen.mirror), nginx: medians(seen.nginx) };
  const ratio = result.mirror.mibPerSecond / result.nginx.mibPerSecond;
  const machine = { cpus: cpus().length, load: loadavg() };
  const shown = { sizeMib, rounds, requests, ...result, blobRatio: ratio, machine };
  process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
} finally {
  nginx.stop();
  await node.stop();
  await registry.down();
  await removeTestDirectory(directory);
}

function emptyRounds(): Record<'mibPerSecond' | 'cpuSecondsPerGib' | 'manifestP99Ms', number[]> {
  return { mibPerSecond: [], cpuSecondsPerGib: [], manifestP99Ms: [] };
}

function medians(found: ReturnType<typeof emptyRounds>) {
  const { mibPerSecond, cpuSecondsPerGib, manifestP99Ms } = found;
  return {
    mibPerSecond: median(mibPerSecond),
    cpuSecondsPerGib: median(cpuSecondsPerGib),
    manifestP99Ms: median(manifestP99Ms),
  };
}

/** Bytes a second, as curl counts them. */
async function download(url: string): Promise<number> {
  const { stdout } = await promisify(execFile)('curl', ['-fsS', '-o', '/dev/null', '-w', '%{speed_download}', url]);
  return Number(stdout);
}

/** Milliseconds of each of many requests that start at once, on connections of their own. */
async function crowd(url: string): Promise<number[]> {
  const agent = new Agent({ maxSockets: requests });
  const one = async () => {
    const startedMs = performance.now();
    const [response] = await once(get(url, { agent }), 'response');
    if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}`);
    response.resume();
    await once(response, 'end');
    return performance.now() - startedMs;
  };
  const tookMs = await Promise.all(Array.from({ length: requests }, one));
  agent.destroy();
  return tookMs;
}

function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** User and system time of a process (proc(5), fields 14 and 15). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
