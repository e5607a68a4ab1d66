/** `shoal doctor` and the other nodes: real nodes in a network of their own, where a real firewall closes what is to be found closed. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { parseNodeConfig } from '../../plugin/config.ts';
import { runNode } from '../../plugin/daemon.ts';
import { type DaemonProcess, startDaemon } from '../support/debian/daemon-process.ts';
import { eventually } from '../support/debian/eventually.ts';
import { runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type Diagnosis, diagnose } from '../support/doctor/diagnose.ts';
import { nodeConfigText } from '../support/node/node-config.ts';
import { freePort } from '../support/debian/free-port.ts';

const DEADLINE_MS = 120_000;
const PROGRAM = join(import.meta.dirname, '../../cli/main.ts');
const NAMESPACE = `shoal-doctor-${process.pid}`;
const WITHIN = ['nsenter', `--net=/run/netns/${NAMESPACE}`];
/** In a network of their own nobody else has these. */
const PORTS = { mesh: [7201, 7202], peer: [7301, 7302] } as const;

const reason = unavailable();
if (reason !== undefined) process.stderr.write(`doctor-mesh: the firewall's tests are skipped, ${reason}\n`);
const firewalled = (title: string, work: () => Promise<void>) => (reason ? it.skip : it)(title, work, DEADLINE_MS);

let directory: string;
let keyFile: string;
const daemons: DaemonProcess[] = [];
const stops: (() => Promise<void>)[] = [];

function unavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const tried = spawnSync('unshare', ['--net', 'iptables', '-L', '-n'], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : `iptables does not work here: ${tried.stderr ?? tried.error?.message}`;
}

beforeAll(async () => {
  directory = await makeTestDirectory('shoal-dmesh-');
  keyFile = await keyOf('mesh.key');
  if (reason !== undefined) return;
  await runCommand('ip', ['netns', 'add', NAMESPACE]);
  await runCommand('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up']);
  await startHere(0);
  await startHere(1);
  await eventually(
    () => diagnosisOf(0),
    ({ of }) => of('mesh').says.startsWith('2 members'),
    30_000,
  );
}, DEADLINE_MS);

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  if (reason === undefined) await runCommand('ip', ['netns', 'exec', NAMESPACE, 'iptables', '-F']);
});

afterAll(async () => {
  await Promise.all(daemons.map((daemon) => daemon.terminate(15_000)));
  if (reason === undefined) await runCommand('ip', ['netns', 'del', NAMESPACE]);
  await removeTestDirectory(directory);
}, DEADLINE_MS);

async function keyOf(name: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, randomBytes(32).toString('base64'));
  return file;
}

/** A node of the private network. */
async function startHere(index: 0 | 1): Promise<void> {
  const folder = join(directory, `n${index}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'docker.json'), '{}');
  const mesh = { name: `node-${index + 1}`, port: PORTS.mesh[index], joinPort: PORTS.mesh[0], keyFile };
  const text = nodeConfigText({ directory: folder, adminPort: 7400 + index, registries: [], mesh });
  await writeFile(configOf(index), text.replace('listen = "127.0.0.1:0"', `listen = "127.0.0.1:${PORTS.peer[index]}"`));
  const logFile = join(folder, 'log');
  const command = [...WITHIN, process.execPath, PROGRAM, 'serve', '--config', configOf(index)];
  daemons.push(
    await startDaemon({
      name: mesh.name,
      command,
      env: { NODE_OPTIONS: '' },
      stdoutFile: logFile,
      stderrFile: logFile,
    }),
  );
}

const configOf = (index: number) => join(directory, `n${index}`, 'shoal.toml');
const diagnosisOf = (index: number): Promise<Diagnosis> => diagnose({ config: configOf(index), within: WITHIN });

/** Packets to a port are lost, as a firewall loses them. */
async function close(protocol: 'udp' | 'tcp', port: number): Promise<void> {
  const { exitCode, stderr } = await runCommand('ip', [
    'netns',
    'exec',
    NAMESPACE,
    'iptables',
    '-I',
    'INPUT',
    '-p',
    protocol,
    '--dport',
    `${port}`,
    '-j',
    'DROP',
  ]);
  expect([exitCode, stderr]).toEqual([0, '']);
}

firewalled('nothing is wrong between two nodes that reach each other', async () => {
  const { of } = await diagnosisOf(0);
  for (const check of ['mesh', 'mesh key', 'ports between members', 'clocks', 'versions'])
    expect(of(check)).toMatchObject({ level: 'ok' });
});

firewalled('UDP that is closed towards another node, and what to type there', async () => {
  await close('udp', PORTS.mesh[1]);
  expect((await diagnosisOf(0)).of('ports between members')).toEqual({
    check: 'ports between members',
    level: 'problem',
    says: `UDP does not pass to node-2 (127.0.0.1:${PORTS.mesh[1]}), TCP does`,
    fix: `On node-2: iptables -I INPUT -p udp --dport ${PORTS.mesh[1]} -j ACCEPT`,
  });
  // Seen from the other side it is this node's own door.
  expect((await diagnosisOf(1)).of('ports between members')).toMatchObject({ level: 'problem' });
});

firewalled('TCP of the mesh that is closed', async () => {
  await close('tcp', PORTS.mesh[1]);
  expect((await diagnosisOf(0)).of('ports between members')).toMatchObject({
    level: 'problem',
    says: `TCP does not pass to node-2 (127.0.0.1:${PORTS.mesh[1]}), UDP does`,
  });
});

firewalled('a peer port that is closed', async () => {
  await close('tcp', PORTS.peer[1]);
  expect((await diagnosisOf(0)).of('ports between members')).toMatchObject({
    level: 'problem',
    says: expect.stringContaining(`The peer port of node-2 (127.0.0.1:${PORTS.peer[1]}) does not answer`),
    fix: `On node-2: iptables -I INPUT -p tcp --dport ${PORTS.peer[1]} -j ACCEPT`,
  });
});

/** A node in this process, whose clock and version are not those of the others. */
async function startInProcess(config: string, change: { skewMs?: number; version?: string }): Promise<void> {
  const stop = new AbortController();
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const text = config;
  const ended = runNode(parseNodeConfig({ text, file: 'x', env: {}, hostName: 'x' }), {
    version: change.version ?? '0.1.0',
    log: silentLogger,
    metrics: createMetrics({ process: true }),
    clock: { ...systemClock, now: () => systemClock.now() + (change.skewMs ?? 0) },
    random: Math.random,
    env: {},
    signal: stop.signal,
    onReady,
  });
  await Promise.race([ready, ended]);
  stops.push(async () => {
    stop.abort();
    await ended;
  });
}

/** Two nodes on loopback; the second is as `change` says. @returns the first one's configuration */
async function pairWith(change: {
  skewMs?: number;
  version?: string;
  keyFile?: string;
}): Promise<{ first: string; second: string }> {
  const joinPort = await freePort();
  const write = async (name: string, port: number, key: string) => {
    const folder = join(directory, `${name}-${port}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'docker.json'), '{}');
    const settings = { directory: folder, adminPort: await freePort(), registries: [] };
    const text = nodeConfigText({ ...settings, mesh: { name, port, joinPort, keyFile: key } });
    await writeFile(join(folder, 'shoal.toml'), text);
    return { file: join(folder, 'shoal.toml'), text };
  };
  const first = await write('first', joinPort, keyFile);
  const second = await write('second', await freePort(), change.keyFile ?? keyFile);
  await startInProcess(first.text, {});
  await startInProcess(second.text, change);
  return { first: first.file, second: second.file };
}

const isTogether = async (config: string) =>
  eventually(
    () => diagnose({ config }),
    ({ of }) => of('mesh').says.startsWith('2 members'),
    30_000,
  );

it(
  'a clock that is a minute and a half ahead',
  async () => {
    const { first } = await pairWith({ skewMs: 90_000 });
    await isTogether(first);
    expect((await diagnose({ config: first })).of('clocks')).toMatchObject({
      level: 'problem',
      says: expect.stringMatching(/^Clocks differ from this node's: second (89|90) s ahead$/),
      fix: 'On second: timedatectl set-ntp true',
    });
  },
  DEADLINE_MS,
);

it(
  'versions one apart go together, further apart it says so',
  async () => {
    const { first } = await pairWith({ version: '0.2.4' });
    await isTogether(first);
    expect((await diagnose({ config: first })).of('versions')).toMatchObject({
      level: 'ok',
      says: expect.stringContaining('0.2.4'),
    });
    await Promise.all(stops.splice(0).map((stop) => stop()));
    const further = await pairWith({ version: '0.3.0' });
    await isTogether(further.first);
    expect((await diagnose({ config: further.first })).of('versions')).toMatchObject({
      level: 'problem',
      says: 'This node runs 0.1.0. More than one version apart, which is not tried together: second 0.3.0',
    });
  },
  DEADLINE_MS,
);

it(
  'another mesh key, found from either side',
  async () => {
    const { first, second } = await pairWith({ keyFile: await keyOf('other.key') });
    const keys = async (config: string) => (await diagnose({ config })).of('mesh key');
    const found = await eventually(
      () => keys(first),
      ({ level }) => level === 'problem',
      30_000,
    );
    expect(found).toMatchObject({
      says: expect.stringContaining('127.0.0.1 (another key)'),
      fix: expect.stringContaining('systemctl reload shoal'),
    });
    const refused = await eventually(
      () => keys(second),
      ({ level }) => level === 'problem',
      30_000,
    );
    // It hears answers that it cannot open, or none at all.
    expect(refused.says).toMatch(/127\.0\.0\.1 \(another key\)|takes the connection and gives no answer/);
    // Each shows its own key's fingerprint, so that they can be compared.
    const [ours, theirs] = [found, refused].map(({ says }) => /Ours is ([0-9a-f]{8})/.exec(says)?.[1]);
    expect(ours).toMatch(/^[0-9a-f]{8}$/);
    expect(theirs).not.toBe(ours);
  },
  DEADLINE_MS,
);
