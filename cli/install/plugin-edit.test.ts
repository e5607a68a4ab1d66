import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../../core/runtime/errors.ts';
import { containerdFacts } from './containerd-facts.ts';
import { addPlugin, beforeNewConfig, newContainerdConfig, removePlugin } from './plugin-edit.ts';

const SOCKET = '/run/shoal/content.sock';
const CONTENT = 'io.containerd.content.v1.content';
const FIXTURES = join(import.meta.dirname, 'fixtures');
const FILES = readdirSync(FIXTURES).map((name): [string, string] => [name, readFileSync(join(FIXTURES, name), 'utf8')]);

/** Every way that people write the two keys we touch. */
const SAMPLES: [string, string][] = [
  ['version only', 'version = 2\n'],
  ['no line break at the end', 'version = 3'],
  ['no line break after a table', 'version = 2\n[grpc]\naddress = "/x"'],
  ['empty lines at the end', 'version = 2\n\n\n'],
  ['empty list', 'version = 2\ndisabled_plugins = []\n'],
  ['empty list with a space', 'version = 2\ndisabled_plugins = [ ]\n'],
  ['inline list', 'version = 2\ndisabled_plugins = ["cri", "aufs"]\n'],
  ['single quotes', "version = 3\ndisabled_plugins = ['cri']\n"],
  ['list with spaces', 'version=2\ndisabled_plugins=[ "cri" , "aufs" , ]   # why\n'],
  ['multi-line list', 'version = 2\ndisabled_plugins = [\n  "cri",\n  "aufs",\n]\n'],
  ['multi-line list, no last comma', 'version = 2\ndisabled_plugins = [\n\t"cri",\n\t"aufs"\n]\n'],
  [
    'list with comments',
    'version = 2\ndisabled_plugins = [ # these\n  # first\n  "cri", # cri\n  # second\n  "aufs" # aufs\n  # end\n]\n',
  ],
  ['empty multi-line list with a comment', 'version = 2\ndisabled_plugins = [\n  # none\n]\n'],
  ['list before the version', '# top\ndisabled_plugins = ["cri"]\nversion = 2\n'],
  ['indented with tabs', '\tversion = 2\n\t[plugins]\n\t\t[plugins."x"]\n\t\t\ta = 1\n'],
  ['quoted keys', '"version" = 2\n"disabled_plugins" = []\n["proxy_plugins"]\n'],
  ['an empty proxy table', 'version = 2\n[proxy_plugins]\n[timeouts]\na = "1s"\n'],
  [
    'another proxy',
    'version = 2\n[proxy_plugins]\n  [proxy_plugins.stargz]\n    type = "snapshot"\n    address = "/s"\n',
  ],
  [
    'another proxy, dotted',
    'version = 2\nproxy_plugins.stargz.type = "snapshot"\nproxy_plugins.stargz.address = "/s" # it\nroot = "/r"\n',
  ],
  ['another proxy, inline', 'version = 2\nproxy_plugins = { stargz = { type = "snapshot", address = "/s" } }\n'],
  ['an empty inline proxy table', 'version = 2\nproxy_plugins = {}\n'],
  [
    'another proxy, dotted below its table',
    'version = 2\n[proxy_plugins]\nstargz.type = "snapshot"\nstargz.address = "/s"\n',
  ],
  ['a comment at the end', 'version = 2\n# the end'],
  ['umlauts before what is edited', 'version = 2 # größer 🐟\ndisabled_plugins = ["ä"] # ö\n'],
];

const WITH_CRLF = [...FILES, ...SAMPLES].map(([name, text]): [string, string] => [
  `${name}, CRLF`,
  text.replaceAll('\n', '\r\n'),
]);
const ALL = [...FILES, ...SAMPLES, ...WITH_CRLF];

describe('addPlugin() and removePlugin()', () => {
  it.each(ALL)('%s: the plugin becomes the only content store', (_name, text) => {
    const facts = containerdFacts(addPlugin(text, 'c.toml', SOCKET), 'c.toml');
    expect(facts).toMatchObject({ isBuiltInDisabled: true, contentProxies: [{ name: 'shoal', address: SOCKET }] });
  });

  it.each(ALL)('%s: a second time changes nothing', (_name, text) => {
    const once = addPlugin(text, 'c.toml', SOCKET);
    expect(addPlugin(once, 'c.toml', SOCKET)).toBe(once);
  });

  it.each(ALL)('%s: taken away, every byte is back', (_name, text) => {
    const gone = removePlugin(addPlugin(text, 'c.toml', SOCKET), 'c.toml');
    expect(gone).toBe(text);
    expect(removePlugin(gone, 'c.toml')).toBe(text);
  });

  it('every line of the original is still there, in order', () => {
    for (const [, text] of FILES) {
      const lines = addPlugin(text, 'c.toml', SOCKET).split('\n');
      const kept = text.split('\n').filter((line) => !line.startsWith('disabled_plugins'));
      let at = 0;
      for (const line of kept) at = lines.indexOf(line, at) + 1;
      expect(at).toBeGreaterThan(0);
    }
  });

  it('any layout of the list survives', () => {
    const space = fc.constantFrom('', ' ', '\n', '\n  ', ' # c\n', '\t');
    const item = fc.constantFrom('"cri"', "'aufs'", '"a,b"', '"x]"', '"#"');
    const list = fc
      .tuple(fc.array(fc.tuple(space, item, space), { maxLength: 4 }), fc.boolean(), space)
      .map(([items, comma, end]) => {
        const inner = items.map(([before, value, after]) => before + value + after).join(',');
        return `[${inner}${comma && items.length > 0 ? ',' : ''}${end}]`;
      });
    fc.assert(
      fc.property(list, fc.boolean(), fc.constantFrom('', '\n', '\n[grpc]\n'), (layout, isFirst, rest) => {
        const pair = `disabled_plugins = ${layout}`;
        const text = (isFirst ? `${pair}\nversion = 2` : `version = 2\n${pair}`) + rest;
        const added = addPlugin(text, 'c.toml', SOCKET);
        expect(containerdFacts(added, 'c.toml').isBuiltInDisabled).toBe(true);
        expect(removePlugin(added, 'c.toml')).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('what was edited since stays', () => {
    const added = addPlugin('version = 2\n\n[grpc]\n  address = "/x"\n', 'c.toml', SOCKET);
    const edited = added
      .replace(`["${CONTENT}"]`, `["aufs", "${CONTENT}", "zfs"]`)
      .replace('address = "/x"', 'address = "/y"')
      .concat('\n[timeouts]\n  a = "1s"\n');
    const rest = removePlugin(edited, 'c.toml');
    expect(containerdFacts(rest, 'c.toml')).toMatchObject({
      address: '/y',
      isBuiltInDisabled: false,
      contentProxies: [],
    });
    expect(rest).toContain('["aufs", "zfs"]');
    expect(rest).toContain('\n[timeouts]\n  a = "1s"\n');
  });

  it.each([
    ['a table without our mark', '[proxy_plugins.shoal]\ntype = "content"\naddress = "/s"\n'],
    [
      'tables below it',
      '[proxy_plugins.shoal]\ntype = "content"\naddress = "/s"\n[proxy_plugins.shoal.exports]\na = "b"\n',
    ],
    ['dotted keys', 'proxy_plugins.shoal.type = "content"\nproxy_plugins.shoal.address = "/s"\n'],
    ['inline', 'proxy_plugins = { a = { type = "snapshot" }, shoal = { type = "content", address = "/s" } }\n'],
    ['inline below its table', '[proxy_plugins]\nshoal = { type = "content", address = "/s" }\n'],
  ])('written by hand as %s it is known, gets its address and is taken away', (_name, proxy) => {
    const text = `version = 2\ndisabled_plugins = ["${CONTENT}"]\n${proxy}`;
    expect(addPlugin(text, 'c.toml', '/s')).toBe(text);
    const moved = addPlugin(text, 'c.toml', '/new');
    expect(containerdFacts(moved, 'c.toml').contentProxies).toEqual([{ name: 'shoal', address: '/new' }]);
    const facts = containerdFacts(removePlugin(moved, 'c.toml'), 'c.toml');
    expect(facts).toMatchObject({ isBuiltInDisabled: false, contentProxies: [] });
  });

  it('leaves the built-in store off while another proxy takes its place', () => {
    const text = `version = 2\ndisabled_plugins = ["${CONTENT}"]\n[proxy_plugins.other]\ntype = "content"\naddress = "/o"\n`;
    expect(removePlugin(text, 'c.toml')).toBe(text);
  });

  it('refuses an entry of our name that is something else', () => {
    const text = 'version = 2\n[proxy_plugins.shoal]\ntype = "snapshot"\naddress = "/s"\n';
    let thrown: unknown;
    try {
      addPlugin(text, 'c.toml', SOCKET);
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe('FAILED_PRECONDITION');
  });
});

describe('newContainerdConfig() and beforeNewConfig()', () => {
  it.each([
    ['nothing', ''],
    ['a comment', '# mine\n'],
    ['a comment without a line break', '# mine'],
    ['comments, CRLF', '# mine\r\n\r\n# all\r\n'],
  ])('%s becomes a configuration with the plugin only, and comes back', (_name, original) => {
    const text = newContainerdConfig(original, SOCKET);
    expect(containerdFacts(text, 'c.toml')).toMatchObject({
      version: 2,
      isBuiltInDisabled: true,
      contentProxies: [{ name: 'shoal', address: SOCKET }],
    });
    expect(beforeNewConfig(removePlugin(text, 'c.toml'), 'c.toml')).toBe(original);
  });

  it('a setting that was added since keeps the file', () => {
    const text = removePlugin(newContainerdConfig('', SOCKET), 'c.toml');
    expect(beforeNewConfig(`${text}root = "/x"\n`, 'c.toml')).toBeUndefined();
  });
});
