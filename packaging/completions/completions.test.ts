/** The shells themselves read what is written for them; one that is not here says so in a line. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readCommandTree } from '../command-tree.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const program = readCommandTree();

function shell(name: string, script: (file: string) => string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-completion-'));
  try {
    const file = join(folder, 'shoal');
    writeFileSync(file, text);
    const { stdout, stderr } = spawnSync(name, ['-c', script(file)], {
      encoding: 'utf8',
      env: { ...process.env, HOME: folder },
    });
    return stderr + stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withShell(name: string): typeof it | typeof it.skip {
  if (spawnSync(name, ['-c', 'true']).error === undefined) return it;
  process.stderr.write(`Completion in ${name} is not tested: ${name} is not here\n`);
  return it.skip;
}

describe('bashCompletion()', () => {
  const complete = (...words: string[]) =>
    shell(
      'bash',
      (file) =>
        `. ${file}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _shoal; echo "\${COMPREPLY[*]}"`,
      bashCompletion(program),
    );

  withShell('bash')('offers commands, then what is below them, then their options', () => {
    expect(complete('shoal', 'se')).toBe('serve\n');
    expect(complete('shoal', 'install', 'c')).toBe('containerd\n');
    expect(complete('shoal', 'install', 'containerd', '--dry')).toBe('--dry-run\n');
    expect(complete('shoal', 'serve', '--config', '/etc/hostn')).toBe('/etc/hostname\n');
  });
});

describe('fishCompletion()', () => {
  withShell('fish')('offers commands with what they do', () => {
    const complete = (line: string) =>
      shell('fish', (file) => `source ${file}; complete -C '${line}'`, fishCompletion(program));
    expect(complete('shoal se')).toMatch(/^serve\trun the node daemon/);
    expect(complete('shoal install c')).toMatch(/^containerd\t/m);
    expect(complete('shoal install containerd --dry')).toMatch(/^--dry-run\t/m);
  });
});

describe('zshCompletion()', () => {
  withShell('zsh')('is a script that zsh reads, with a function for each command', () => {
    const script = (file: string) => `compdef() { :; }; . ${file} && whence -w _shoal _shoal_install_containerd`;
    expect(shell('zsh', script, zshCompletion(program))).toBe(
      '_shoal: function\n_shoal_install_containerd: function\n',
    );
  });
});
