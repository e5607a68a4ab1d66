import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../plugin/config.ts';
import type { DoctorFacts, Finding } from './doctor/facts.ts';
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
  limits: { value: { openFiles: 65_536, inotifyInstances: 128 } },
  mesh: { value: { alive: 3, banned: [] } },
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
    ['a mesh of one', { mesh: { value: { alive: 1, banned: [] } } }, { check: 'mesh', level: 'warning' }],
    ['a banned member', { mesh: { value: { alive: 3, banned: ['node-x'] } } }, { check: 'mesh', level: 'warning' }],
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
      { containerd: containerdOf(`${INSTALLED}[grpc]\naddress = "/c"\n`) },
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
    ['few files', { limits: { value: { openFiles: 1024, inotifyInstances: 128 } } }, { check: 'limits' }],
  ];

  it.each(CASES)('finds %s', (_name, change, expected) => {
    expect(findingsOf(change)).toContainEqual(expect.objectContaining(expected));
  });

  it('every problem says what to do', () => {
    const findings = CASES.flatMap(([, change]) => findingsOf(change)).filter(({ level }) => level === 'problem');
    expect(findings.filter(({ fix }) => fix === undefined)).toEqual([]);
  });
});
