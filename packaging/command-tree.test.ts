import { describe, expect, it } from '@jest/globals';
import { readCommandTree, withDescendants } from './command-tree.ts';

describe('readCommandTree()', () => {
  it('has the program as help shows it, commands below commands included', () => {
    const commands = withDescendants(readCommandTree());
    const containerd = commands.find(({ path }) => path.join(' ') === 'shoal install containerd');
    expect(containerd?.options).toContainEqual({
      flags: ['--config'],
      value: '<file>',
      says: 'our configuration',
      default: '/etc/shoal/shoal.toml',
      choices: [],
    });
    expect(commands.find(({ path }) => path.at(-1) === 'pull')?.arguments[0]?.term).toBe('<ref>');
    expect(commands.filter(({ says }) => says === '').map(({ path }) => path.join(' '))).toEqual([]);
  });
});
