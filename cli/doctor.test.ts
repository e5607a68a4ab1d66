import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../plugin/config.ts';
import type { DaemonFacts, DoctorFacts, Finding, LoginFacts, MeshFacts, ReachFacts } from './doctor/facts.ts';
import { interoperates } from './doctor/fleet-checks.ts';
import { diagnose } from './doctor.ts';
import { containerdFacts } from './install/containerd-facts.ts';

const CONTENT = 'io.containerd.content.v1.content';
const INSTALLED = `version = 2\ndisabled_plugins = ["${CONTENT}"]\n[proxy_plugins.shoal]\ntype = "content"\naddress = "/run/shoal/content.sock"\n`;

function configOf(text: string): DoctorFacts['config'] {
  return { value: parseNodeConfig({ text, file: 's.toml', env: {}, hostName: 'h' }) };
}

function containerdOf(text: string): DoctorFacts['containerd'] {
  return { value: { file: 'c.toml', text, facts: containerdFacts(text, 'c.toml'), imports: [] } };
}

const ROOT = { freeBytes: 100 * 2 ** 30, totalBytes: 200 * 2 ** 30, mounts: [], linkFailure: undefined };

const LIMITS = { openFiles: 65_536, openFilesNow: 90, inotifyInstances: 128, inotifyWatches: 65_536 };
const MESH: MeshFacts = {
  ...{ alive: 3, banned: [], joinFailure: undefined, joinAnswers: [], strangers: [], keyFingerprint: 'ab12cd34' },
  versions: [{ member: 'b', version: '1.3.5' }],
};
const DAEMON: DaemonFacts = { version: '1.2.0', cacheBytes: 10, pinBytes: 0, capacityBytes: 100 };
const REACHED: ReachFacts = {
  ...{ member: 'b', address: '10.0.0.2', meshPort: 7946, peerPort: 7948, failure: undefined },
  ...{ udp: true, tcp: true, peer: true, peerFailure: undefined, backUdp: true, backTcp: true, skewMs: 12 },
};
const mesh = (change: Partial<MeshFacts>): Partial<DoctorFacts> => ({ mesh: { value: { ...MESH, ...change } } });
const reach = (...changes: Partial<ReachFacts>[]): Partial<DoctorFacts> => ({
  reach: { value: changes.map((change, at) => ({ ...REACHED, member: `m${at}`, ...change })) },
});
const login = (outcome: LoginFacts['outcome']): Partial<DoctorFacts> => ({
  logins: { value: [{ host: 'r.example', from: '/etc/shoal/pw', outcome, reason: 'It says no' }] },
});
const hosts = (text: string, file = '/h/_default/hosts.toml', configured: string | undefined = '/h') => ({
  hosts: { value: { configured, directory: '/h', files: [{ file, text }] } },
});
const OURS = '[host."http://127.0.0.1:7949"]\n';

/** A node where everything is as it should be. */
const HEALTHY: DoctorFacts = {
  configFile: 's.toml',
  config: configOf('[mesh]\nkey_file = "/k"'),
  hasConfigFile: true,
  containerdFile: 'c.toml',
  containerd: containerdOf(INSTALLED),
  containerdVersion: { value: { major: 1, minor: 6, text: '1.6.20' } },
  isPluginServed: true,
  root: { value: ROOT },
  readiness: { value: { ready: true, reason: '' } },
  dockerConfig: { value: undefined },
  limits: { value: LIMITS },
  mesh: { value: MESH },
  installedVersion: '1.2.0',
  nowMs: 1_000_000,
  containerdAnswers: { value: true },
  daemon: { value: DAEMON },
  reach: { value: [REACHED] },
  logins: { value: [] },
  hosts: { value: { configured: undefined, directory: '/h', files: [] } },
};

function findingsOf(change: Partial<DoctorFacts>): Finding[] {
  return diagnose({ ...HEALTHY, ...change }).filter(({ level }) => level !== 'ok');
}

describe('diagnose()', () => {
  it('advises one thing only when the configuration is bad', () => {
    const bad = { reason: 's.toml:3: x' };
    const found = findingsOf({ config: bad, isPluginServed: false, root: bad, readiness: bad });
    expect(found.filter(({ level }) => level === 'problem').map(({ check }) => check)).toEqual(['configuration']);
    expect(found.filter(({ fix }) => fix !== undefined).map(({ fix }) => fix)).toEqual(['Mend s.toml']);
  });

  it('finds nothing on a healthy node', () => {
    expect(findingsOf({})).toEqual([]);
  });

  const CASES: [string, Partial<DoctorFacts>, Partial<Finding>][] = [
    ['a bad configuration', { config: { reason: 's.toml:3: x' } }, { check: 'configuration', level: 'problem' }],
    ['no configuration', { hasConfigFile: false }, { check: 'configuration', level: 'warning' }],
    ['a mesh without a key', { config: configOf('') }, { check: 'mesh', level: 'warning' }],
    ['a mesh of one', mesh({ alive: 1 }), { check: 'mesh', level: 'warning' }],
    ['a banned member', mesh({ banned: ['node-x'] }), { check: 'mesh', level: 'warning' }],
    ['a daemon that tells nothing of its mesh', { mesh: { reason: 'Gone' } }, { check: 'mesh', level: 'unknown' }],
    ['an old containerd', { containerdVersion: { value: { major: 1, minor: 5, text: '1.5' } } }, { level: 'problem' }],
    ['an unknown containerd', { containerdVersion: { reason: 'ENOENT' } }, { level: 'unknown' }],
    ['no plugin', { containerd: containerdOf('version = 2\n') }, { level: 'warning', fix: 'shoal install containerd' }],
    [
      'two content stores by a forgotten line',
      { containerd: containerdOf(INSTALLED.replace(CONTENT, 'x')) },
      { check: 'content store', level: 'problem', fix: 'shoal install containerd' },
    ],
    [
      'two proxies',
      { containerd: containerdOf(`${INSTALLED}[proxy_plugins.n]\ntype = "content"\naddress = "/n"\n`) },
      { check: 'content store', level: 'problem', fix: 'Remove proxy_plugins.n from c.toml' },
    ],
    [
      'another socket',
      { config: configOf('[content]\nsocket = "/s"\n[mesh]\nkey_file = "/k"') },
      {
        check: 'content store',
        level: 'problem',
        says: 'containerd looks for the plugin at "/run/shoal/content.sock", content.socket is "/s"',
      },
    ],
    ['a silent socket', { isPluginServed: false }, { check: 'plugin socket', level: 'problem' }],
    [
      'isolated content',
      {
        containerd: containerdOf(
          `${INSTALLED}[plugins."io.containerd.metadata.v1.bolt"]\ncontent_sharing_policy = "isolated"\n`,
        ),
      },
      { check: 'content sharing', level: 'warning' },
    ],
    [
      'a containerd elsewhere',
      { containerd: containerdOf(`${INSTALLED}[grpc]\naddress = "/c"\n`), containerdAnswers: { reason: 'Gone' } },
      { check: 'containerd socket', level: 'problem' },
    ],
    ['a daemon that is not ready', { readiness: { value: { ready: false, reason: 'r' } } }, { says: 'Not ready: r' }],
    ['a mount', { root: { value: { ...ROOT, mounts: ['/m'] } } }, { check: 'content directory', fix: 'umount /m' }],
    [
      'no links',
      { root: { value: { ...ROOT, linkFailure: 'EXDEV' } } },
      { check: 'content directory', level: 'problem' },
    ],
    ['a full disk', { root: { value: { ...ROOT, freeBytes: 1 } } }, { check: 'disk space', level: 'problem' }],
    [
      'a small disk',
      { root: { value: { ...ROOT, totalBytes: 2 ** 30, freeBytes: 6 * 2 ** 30 } } },
      { level: 'warning' },
    ],
    ['a broken docker config', { dockerConfig: { reason: 'no JSON' } }, { check: 'registry credentials' }],
    [
      'a containerd that is silent',
      { containerdAnswers: { reason: 'Gone' } },
      { check: 'containerd socket', fix: 'systemctl start containerd' },
    ],
    [
      'files that are nearly all open',
      { limits: { value: { ...LIMITS, openFilesNow: 65_000 } } },
      { check: 'limits', level: 'problem' },
    ],
    [
      'few inotify instances',
      { limits: { value: { ...LIMITS, inotifyInstances: 8 } } },
      { fix: 'sysctl fs.inotify.max_user_instances=128' },
    ],
    [
      'few inotify watches',
      { limits: { value: { ...LIMITS, inotifyWatches: 100 } } },
      { fix: 'sysctl fs.inotify.max_user_watches=524288' },
    ],
    [
      'a cache that is too full',
      { daemon: { value: { ...DAEMON, cacheBytes: 95 } } },
      { check: 'disk space', level: 'warning' },
    ],
    [
      'a disk that is nearly full',
      { root: { value: { ...ROOT, freeBytes: 6 * 2 ** 30 } } },
      { check: 'disk space', level: 'warning' },
    ],
    [
      'UDP that is closed',
      reach({ udp: false }),
      { check: 'ports between members', fix: 'On m0: iptables -I INPUT -p udp --dport 7946 -j ACCEPT' },
    ],
    [
      'TCP that is closed',
      reach({}, { tcp: false }),
      { level: 'problem', fix: 'On m1: iptables -I INPUT -p tcp --dport 7946 -j ACCEPT' },
    ],
    [
      'a peer port that is closed',
      reach({ peer: false, peerFailure: 'x' }),
      { fix: 'On m0: iptables -I INPUT -p tcp --dport 7948 -j ACCEPT' },
    ],
    [
      'UDP that is closed here',
      reach({ backUdp: false }),
      { fix: 'On this node: iptables -I INPUT -p udp --dport 7946 -j ACCEPT' },
    ],
    [
      'another clock',
      reach({}, { skewMs: -90_000 }),
      { check: 'clocks', level: 'problem', fix: 'On m1: timedatectl set-ntp true' },
    ],
    [
      'our own clock',
      reach({ skewMs: 4_000 }, { skewMs: 4_100 }),
      { check: 'clocks', level: 'warning', fix: 'On this node: timedatectl set-ntp true' },
    ],
    [
      'versions two apart',
      mesh({ versions: [{ member: 'b', version: '1.4.0' }] }),
      { check: 'versions', level: 'problem' },
    ],
    [
      'a daemon older than its program',
      { installedVersion: '1.3.0' },
      { check: 'versions', fix: 'systemctl restart shoal' },
    ],
    [
      'another key',
      mesh({ strangers: [{ address: '10.0.0.9', reason: 'undecryptable', lastAtMs: 999_000 }] }),
      { check: 'mesh key', level: 'problem' },
    ],
    [
      'a door that stays shut',
      mesh({ alive: 1, joinFailure: 'x', joinAnswers: ['10.0.0.1:7946'] }),
      { check: 'mesh key', level: 'problem' },
    ],
    [
      'a credential that is refused',
      login('refused'),
      { check: 'registry credentials', level: 'problem', says: 'r.example refuses the credential of /etc/shoal/pw' },
    ],
    ['a registry that is not there', login('unreachable'), { check: 'registry credentials', level: 'warning' }],
    [
      'a mirror that was elsewhere',
      hosts('[host."http://127.0.0.1:5999"]\n'),
      { check: 'hosts.toml', level: 'problem' },
    ],
    [
      'a registry past the mirror',
      {
        hosts: {
          value: {
            configured: '/h',
            directory: '/h',
            files: [
              { file: '/h/_default/hosts.toml', text: OURS },
              { file: '/h/r.example/hosts.toml', text: 'server = "https://r.example"\n' },
            ],
          },
        },
      },
      { check: 'hosts.toml', level: 'warning' },
    ],
    [
      'hosts.toml that nobody reads',
      {
        hosts: {
          value: { configured: undefined, directory: '/h', files: [{ file: '/h/_default/hosts.toml', text: OURS }] },
        },
      },
      { check: 'hosts.toml', level: 'warning' },
    ],
    ['few files', { limits: { value: { ...LIMITS, openFiles: 1024 } } }, { check: 'limits' }],
  ];

  it.each(CASES)('finds %s', (_name, change, expected) => {
    expect(findingsOf(change)).toContainEqual(expect.objectContaining(expected));
  });

  it('every problem says what to do', () => {
    const findings = CASES.flatMap(([, change]) => findingsOf(change)).filter(({ level }) => level === 'problem');
    expect(findings.filter(({ fix }) => fix === undefined)).toEqual([]);
  });

  it.each([
    ['our mirror', hosts(OURS)],
    [
      'a registry of this machine, with a file of its own',
      hosts('server = "http://127.0.0.1:5000"\n', '/h/127.0.0.1_5000_/hosts.toml'),
    ],
    [
      'a stranger of an hour ago',
      mesh({ strangers: [{ address: '10.0.0.9', reason: 'undecryptable', lastAtMs: -3_000_000 }] }),
    ],
    ['a registry that wants no credential', login('not asked for')],
    ['a registry that takes it', login('accepted')],
    ['a second of difference', reach({ skewMs: 1_500 })],
  ])('finds nothing wrong with %s', (_name, change) => {
    expect(findingsOf(change)).toEqual([]);
  });
});

describe('interoperates()', () => {
  it.each([
    ['1.2.0', '1.2.9', true],
    ['1.2.0', '1.3.0', true],
    ['1.3.0', '1.1.0', false],
    ['1.2.0', '2.2.0', false],
    ['1.2.0', 'a build of mine', true],
  ])('%s and %s: %s', (a, b, expected) => {
    expect([interoperates(a, b), interoperates(b, a)]).toEqual([expected, expected]);
  });
});
