import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { type CommandNode, readCommandTree } from '../command-tree.ts';
import { manPages } from './man-pages.ts';

const EDITION = { version: '1.2.3', epochSeconds: 1_700_000_000 };

describe('manPages()', () => {
  it('writes a page for each command, each found from its neighbours', () => {
    const pages = manPages(readCommandTree(), EDITION);
    const names = pages.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['shoal.1', 'shoal-serve.1', 'shoal-install-containerd.1']));
    const [program] = pages;
    expect(program?.text).toContain('.TH SHOAL 1 2023-11-14 "shoal 1.2.3"');
    for (const { name, text } of pages) {
      const named = [...text.matchAll(/^\.BR (\S+) \(1\)/gm)].map(
        ([, page = '']) => `${page.replaceAll('\\-', '-')}.1`,
      );
      expect([name, named.filter((page) => !names.includes(page) && page !== 'systemctl.1')]).toEqual([name, []]);
    }
  });

  it('keeps what roff would take for its own', () => {
    const odd: CommandNode = { path: ['x'], says: "'quoted' \\ and -dash", arguments: [], options: [], commands: [] };
    const [page] = manPages({ ...odd, commands: [{ ...odd, path: ['x', 'y'], says: '.first' }] }, EDITION);
    expect(page?.text).toContain("x \\- \\&'quoted' \\e and \\-dash");
    expect(page?.text).toContain('\n\\&.first');
  });

  it('is roff that groff has nothing to say about, where there is a groff', () => {
    const [page] = manPages(readCommandTree(), EDITION);
    const groff = spawnSync('groff', ['-man', '-Tascii', '-ww', '-z'], { input: page?.text ?? '', encoding: 'utf8' });
    expect(groff.error === undefined ? groff.stderr : '').toBe('');
  });
});
