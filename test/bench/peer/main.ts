/**
 * `npm run bench:peer`: what the peer port costs, as JSON on stdout. One node fetches a blob from another over loopback, hashed and
 * written by the store, next to raw TCP between two Node processes; all of it in one go and interleaved, so quote the ratios.
 * Options: `--rounds N`, `--size-mib N`, `--lanes N` (ranges at once from each source), `--memory-size-mib N` (0: not measured),
 * `--cold-memory` (leaves to chance what the page cache costs; see `warmMemory`), `--only WAY,WAY` (raw is always measured), `--profile DIR` (a processor profile of each process).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDigest } from '../../../core/oci/digest.ts';
import type { PeerAddress } from '../../../plugin/peer/peer.ts';
import { median } from '../content/median.ts';
import type { Job, Result } from './roles.ts';

const MIB = 2 ** 20;
const ROLES = join(import.meta.dirname, 'roles.ts');
const SOURCE_COUNTS = [1, 4, 16];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    'size-mib': { type: 'string', default: '1024' },
    lanes: { type: 'string', default: '4' },
    'memory-size-mib': { type: 'string', default: '512' },
    'cold-memory': { type: 'boolean', default: false },
    only: { type: 'string' },
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const sizeBytes = Number(values['size-mib']) * MIB;
const lanes = Number(values.lanes);
const only = values.only?.split(',');
const execArgv = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];

/** Where the bytes go, and how many ranges are read at once. */
const WAYS = [
  { way: 'discarded', to: 'nothing', lanes: 1 },
  { way: 'hashed', to: 'hash', lanes: 1 },
  { way: 'written', to: 'store', lanes },
  { way: 'written_one_lane', to: 'store', lanes: 1 },
  { way: 'pieces', to: 'pieces', lanes },
] as const;

/** What there would be without a protocol, and without a network. */
const RAW_WAYS = [
  { way: 'raw', to: 'nothing' },
  { way: 'raw_hashed', to: 'hash' },
  { way: 'raw_written', to: 'store' },
  { way: 'hash_alone', to: 'memory' },
] as const;

interface Member {
  readonly child: ChildProcess;
  readonly address: PeerAddress;
}

const directory = mkdtempSync(join(tmpdir(), 'shoal-bench-peer-'));
const members: Member[] = [];

function once<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`A process of the benchmark ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message: T) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

async function startMember(role: string, tls: 'plain' | 'tls', name: string): Promise<Member> {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const child = fork(ROLES, [role, tls, directory, name], { stdio: [...stdio], execArgv });
  const member = { child, address: { name, host: '127.0.0.1', port: 0 } };
  members.push(member);
  const { port } = await once<{ port: number }>(child);
  const started = { child, address: { ...member.address, port } };
  return started;
}

async function stopMember({ child }: Member): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await ended;
}

function run(member: Member, job: Job): Promise<Result> {
  const result = once<Result>(member.child);
  member.child.send(job);
  return result;
}

/** What both ends of a transfer took. */
interface Found extends Result {
  readonly senderCpuSeconds: number;
}

async function runBetween(sender: Member, receiver: Member, job: Job): Promise<Found> {
  const before = await run(sender, { ...job, to: 'count', isWarm: false });
  const result = await run(receiver, job);
  const after = await run(sender, { ...job, to: 'count', isWarm: false });
  return { ...result, senderCpuSeconds: after.cpuSeconds - before.cpuSeconds };
}

/** Of what the senders send: see `CHUNK` in roles.ts. */
function blobDigest(bytes: number) {
  const chunk = Buffer.alloc(MIB, 'shoal').map((byte, index) => (byte * 31 + index * 7) & 0xff);
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= MIB) hash.update(chunk.subarray(0, Math.min(MIB, left)));
  return parseDigest(`sha256:${hash.digest('hex')}`);
}

async function benchRates() {
  const rawSender = await startMember('raw-sender', 'plain', 'raw-a');
  const rawReceiver = await startMember('raw-receiver', 'plain', 'raw-b');
  const ways = [];
  for (const tls of ['plain', 'tls'] as const) {
    const sender = await startMember('sender', tls, `${tls}-a`);
    ways.push({ tls, sender, receiver: await startMember('receiver', tls, `${tls}-b`) });
  }
  const base = { digest: blobDigest(sizeBytes), sizeBytes, rawPort: rawSender.address.port, lanes, isWarm: false };
  const found = new Map<string, Found[]>();
  const note = (key: string, result: Found) => found.set(key, [...(found.get(key) ?? []), result]);
  for (let round = 0; round < rounds; round += 1) {
    for (const { way, to } of RAW_WAYS) {
      const isWarm = values['cold-memory'] === false && to === 'store';
      note(way, await runBetween(rawSender, rawReceiver, { ...base, sources: [], to, isWarm }));
    }
    for (const { tls, sender, receiver } of ways) {
      for (const { way, ...how } of WAYS) {
        const key = `${tls}_${way}`;
        if (only !== undefined && !only.includes(key)) continue;
        const isWarm = values['cold-memory'] === false && (how.to === 'store' || how.to === 'pieces');
        note(key, await runBetween(sender, receiver, { ...base, ...how, isWarm, sources: [sender.address] }));
      }
    }
  }
  for (const member of [rawSender, rawReceiver, ...ways.flatMap(({ sender, receiver }) => [sender, receiver])]) {
    await stopMember(member);
  }
  return summary(found);
}

function summary(found: ReadonlyMap<string, readonly Found[]>) {
  const perGiB = (seconds: number[]) => Number((median(seconds) / (sizeBytes / 2 ** 30)).toFixed(2));
  const rate = (result: Result) => sizeBytes / MIB / result.seconds;
  const middle = (key: string) => median((found.get(key) ?? []).map(rate));
  const [raw, rawWritten] = [middle('raw'), middle('raw_written')];
  const rows = [...found].map(([key, results]) => {
    const rates = results.map(rate);
    return [
      key,
      {
        mibps: Math.round(median(rates)),
        min: Math.round(Math.min(...rates)),
        max: Math.round(Math.max(...rates)),
        ratioToRaw: Number((median(rates) / raw).toFixed(3)),
        ratioToRawWritten: Number((median(rates) / rawWritten).toFixed(3)),
        committedMibps: Math.round(median(results.map(({ committedSeconds }) => sizeBytes / MIB / committedSeconds))),
        receiverCpuSecondsPerGiB: perGiB(results.map(({ cpuSeconds }) => cpuSeconds)),
        senderCpuSecondsPerGiB: perGiB(results.map(({ senderCpuSeconds }) => senderCpuSeconds)),
      },
    ];
  });
  return Object.fromEntries(rows);
}

/** A fresh receiver for each number of sources, because a peak never goes down. */
async function benchMemory() {
  const bytes = Number(values['memory-size-mib']) * MIB;
  const digest = blobDigest(bytes);
  const rows = [];
  for (const tls of ['plain', 'tls'] as const) {
    for (const count of SOURCE_COUNTS) {
      const sources: Member[] = [];
      for (let index = 0; index < count; index += 1) sources.push(await startMember('sender', tls, `s${index}`));
      const receiver = await startMember('receiver', tls, 'r');
      const job = {
        digest,
        sizeBytes: bytes,
        sources: sources.map(({ address }) => address),
        rawPort: 0,
        lanes,
        isWarm: false,
      };
      const { peakRssMiB, seconds } = await run(receiver, { ...job, to: 'store' });
      rows.push({ tls, sources: count, peakRssMiB: Math.round(peakRssMiB), mibps: Math.round(bytes / MIB / seconds) });
      for (const member of [...sources, receiver]) await stopMember(member);
    }
  }
  return rows;
}

try {
  const loadBefore = loadavg();
  const rates = await benchRates();
  const memory = values['memory-size-mib'] === '0' ? [] : await benchMemory();
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, loadBefore, loadAfter: loadavg() };
  process.stdout.write(`${JSON.stringify({ machine, rounds, sizeBytes, lanes, rates, memory }, null, 2)}\n`);
} finally {
  for (const { child } of members) if (child.exitCode === null) child.kill();
  rmSync(directory, { recursive: true, force: true });
}
