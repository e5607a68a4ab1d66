import { describe, expect, it } from '@jest/globals';
import { messageOf } from '../core/runtime/errors.ts';
import { parseWarmerConfig, type WarmerConfig } from './config.ts';

function parse(text: string): WarmerConfig {
  return parseWarmerConfig({ text, file: 'w.toml', env: { TEAM: 'shop' } });
}

function problemOf(text: string): string {
  try {
    parse(text);
    return 'none';
  } catch (error) {
    return messageOf(error);
  }
}

const SOURCE = '[[source]]\nkind = "files"\npath = "/m"\n';

describe('parseWarmerConfig()', () => {
  it('gives the documented defaults', () => {
    expect(parse('')).toMatchObject({
      node: { host: '127.0.0.1', port: 7950 },
      tokenFile: undefined,
      sources: [],
      rules: [],
      search: { anyImageKey: false },
      schedule: {
        cron: '*/30 * * * *',
        timezone: 'UTC',
        horizonMs: 86_400_000,
        marginMs: 300_000,
        defaultReplicasLeadMs: 600_000,
      },
      target: {
        level: 'content',
        nodes: 'schedulable',
        copies: 3,
        pinMs: 7_200_000,
        parallelNodes: 50,
        parallelBlobs: 4,
        maxBytesPerNode: undefined,
      },
      upstream: { concurrency: 8, reserve: 20, allow: [], registries: [] },
    });
  });

  it('reads every kind of source, with the lines of listed images', () => {
    const { sources, rules, schedule } = parse(
      [
        SOURCE,
        '[[source]]\nkind = "compose"\npath = "-"\nprofiles = ["${TEAM}"]\noverrides = ["o.yml"]',
        '[[source]]\nkind = "kubernetes"\nkubeconfig = "/k"\nnamespaces = ["a-b"]\nselector = "app=web"',
        '[[source]]\nkind = "images"\nlist = [\n  "nginx:1",\n  "redis",\n]',
        '[[rule]]\nkinds = ["Engine.example.com"]\npath = "spec.parts[].image"',
        '[schedule]\ncron = ""',
      ].join('\n'),
    );
    expect(sources.map(({ kind }) => kind)).toEqual(['files', 'compose', 'kubernetes', 'images']);
    expect(sources[1]).toMatchObject({ path: '-', profiles: ['shop'], overrides: ['o.yml'] });
    expect(sources[2]).toMatchObject({ kubeconfig: '/k', namespaces: ['a-b'], selector: 'app=web' });
    expect(sources[3]?.images).toEqual([
      { text: 'nginx:1', line: 18 },
      { text: 'redis', line: 19 },
    ]);
    expect(rules[0]).toMatchObject({ kinds: ['Engine.example.com'], decode: 'none', path: { length: 4 } });
    expect(schedule.cron).toBeUndefined();
  });

  it.each([
    ['sauce = 1', /^w\.toml:1: sauce: Unknown key/],
    ['[[source]]\npath = "/m"', /^w\.toml:1: source\[0\]\.kind: The key is missing/],
    ['[[source]]\nkind = "git"', /source\[0\]\.kind: "git" is not one of files, compose, kubernetes, images/],
    [
      '[[source]]\nkind = "files"',
      /^w\.toml:2: source\[0\]\.kind: source\[0\]\.kind = "files" needs source\[0\]\.path/,
    ],
    [
      '[[source]]\nkind = "images"\npath = "/m"\nlist = ["a"]',
      /^w\.toml:3: source\[0\]\.path: .*belongs to kind = "files" or "compose"/,
    ],
    ['[[source]]\nkind = "images"\nlist = [1]', /^w\.toml:3: source\[0\]\.list\[0\]: 1 is not a string/],
    [`${SOURCE}namespaces = ["a"]`, /source\[0\]\.namespaces belongs to kind = "kubernetes"/],
    ['[[source]]\nkind = "kubernetes"\nnamespaces = ["A"]', /"A" is not the name of a namespace/],
    [
      '[[source]]\nkind = "files"\npath = "-"\n[[source]]\nkind = "compose"\npath = "-"',
      /stdin can be read by one source only/,
    ],
    ['[[rule]]\npath = "a..b"', /rule\[0\]\.path: "a\.\.b" is not a path/],
    ['[schedule]\ncron = "every day"', /^w\.toml:2: schedule\.cron: "every day" is not a cron expression/],
    ['[schedule]\ntimezone = "Mars/Olympus"', /schedule\.timezone: "Mars\/Olympus" is not a time zone/],
    ['[schedule]\nmargin = "25h"', /schedule\.margin is not shorter than schedule\.horizon/],
    ['[schedule]\nhorizon = "soon"', /schedule\.horizon: "soon" is not a duration/],
    ['[target]\nlevel = "disk"', /target\.level: "disk" is not one of content, image/],
    ['[target]\nparallel_nodes = -1', /target\.parallel_nodes: -1 is not a whole number from 0/],
    ['[target]\nmax_bytes_per_node = "much"', /"much" is not a size/],
    ['[[upstream.registry]]\nhost = "a"\nusername = "u"', /password_file belong together/],
    ['[[upstream.registry]]\nhost = "a"\nendpoint = "https://u:s3cret@a"', /Credentials do not belong in an endpoint/],
    ['node = "nowhere"', /^w\.toml:1: node: "nowhere" is not HOST:PORT/],
  ])('refuses %j, naming file, line and key', (text, expected) => {
    const problem = problemOf(text);
    expect(problem).toMatch(expected);
    expect(problem).not.toContain('s3cret');
  });
});
