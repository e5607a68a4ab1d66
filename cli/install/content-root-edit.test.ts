import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../../plugin/config.ts';
import { isOnlyHeader, newShoalConfig, setContentRoot, unsetContentRoot } from './content-root-edit.ts';

const ROOT = '/var/lib/containerd/io.containerd.content.v1.content';

function rootOf(text: string): string {
  return parseNodeConfig({ text, file: 's.toml', env: {}, hostName: 'h' }).content.root;
}

describe('setContentRoot() and unsetContentRoot()', () => {
  it.each([
    ['nothing about content', '[node]\nname = "a"\n'],
    ['no line break at the end', '[node]\nname = "a"'],
    ['a content table', '[content]\nsocket = "/s"\n[log]\nlevel = "info"\n'],
    ['an indented content table', '  [content] # c\n    socket = "/s"\n'],
    ['an empty content table', '[content]\n'],
    ['an empty content table without a line break', '[content]'],
    ['another root', '[content]\nroot = "/var/lib/shoal/content"\nsocket = "/s"\n'],
    ['another root with a comment', "[content]\nroot = '/data'   # ours\n"],
    ['dotted keys', 'content.socket = "/s"\nlog.level = "info"\n'],
    ['an inline table', 'content = { socket = "/s" }\n'],
    ['an empty inline table', 'content = {}\n'],
  ])('%s: set, set again and put back', (_name, text) => {
    for (const original of [text, text.replaceAll('\n', '\r\n')]) {
      const set = setContentRoot(original, 's.toml', ROOT);
      expect(rootOf(set)).toBe(ROOT);
      expect(setContentRoot(set, 's.toml', ROOT)).toBe(set);
      expect(unsetContentRoot(set, 's.toml', ROOT)).toBe(original);
      if (original.includes('{')) continue;
      const moved = setContentRoot(set, 's.toml', '/elsewhere');
      expect(rootOf(moved)).toBe('/elsewhere');
      expect(unsetContentRoot(moved, 's.toml', '/elsewhere')).toBe(original);
    }
  });

  it('a root that was there by hand is neither changed nor taken away', () => {
    const text = `[content]\nroot = "${ROOT}"\n`;
    expect(setContentRoot(text, 's.toml', ROOT)).toBe(text);
    expect(unsetContentRoot(text, 's.toml', ROOT)).toBe(text);
  });

  it('a new file goes away again, unless it has settings of its own', () => {
    const text = newShoalConfig(ROOT);
    expect(rootOf(text)).toBe(ROOT);
    expect(isOnlyHeader(unsetContentRoot(text, 's.toml', ROOT))).toBe(true);
    expect(isOnlyHeader(unsetContentRoot(`${text}claim = "local"\n`, 's.toml', ROOT))).toBe(false);
  });

  it('refuses another root inside an inline table, naming what to set', () => {
    expect(() => setContentRoot('content = { root = "/x" }\n', 's.toml', ROOT)).toThrow(/inline table; set it to/);
  });
});
