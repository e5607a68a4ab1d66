/** Where everything stands in a package. One table for both formats. */
import { gzipSync } from 'node:zlib';
import { bashCompletion } from './completions/bash.ts';
import { fishCompletion } from './completions/fish.ts';
import { zshCompletion } from './completions/zsh.ts';
import { readCommandTree } from './command-tree.ts';
import { manPages } from './man/man-pages.ts';
import type { Release } from './release.ts';

export interface PackageFile {
  /** Absolute, on the machine that it is installed on. */
  readonly path: string;
  /** Copied from there (a path in the repository, or an absolute one), or written. */
  readonly from: string | Buffer;
  readonly isExecutable?: true;
  /** Kept by upgrades when an operator has edited it. */
  readonly isConfiguration?: true;
}

/** Of every format; the bundle and the runtime are added by `stageTree`. */
export const SHIPPED: readonly PackageFile[] = [
  { path: '/usr/bin/shoal', from: 'packaging/scripts/shoal', isExecutable: true },
  { path: '/usr/lib/shoal/before-removal', from: 'packaging/scripts/before-removal', isExecutable: true },
  { path: '/usr/lib/shoal/after-upgrade', from: 'packaging/scripts/after-upgrade', isExecutable: true },
  { path: '/etc/shoal/shoal.toml', from: 'packaging/config/shoal.toml', isConfiguration: true },
  { path: '/etc/shoal/warmer.toml', from: 'packaging/config/warmer.toml', isConfiguration: true },
  { path: '/usr/lib/systemd/system/shoal.service', from: 'packaging/systemd/shoal.service' },
  { path: '/usr/lib/systemd/system/shoal-warmer.service', from: 'packaging/systemd/shoal-warmer.service' },
  { path: '/usr/lib/systemd/system/shoal-warmer.timer', from: 'packaging/systemd/shoal-warmer.timer' },
];

/** Where a format's conventions differ. */
export interface Conventions {
  readonly zshFunctions: string;
  /** File names of the two texts, without folder. */
  readonly documentation: readonly PackageFile[];
}

/** What is written from the program itself. */
export function generatedFiles(release: Release, { zshFunctions }: Pick<Conventions, 'zshFunctions'>): PackageFile[] {
  const program = readCommandTree();
  const edition = { version: release.version, epochSeconds: release.epochSeconds };
  return [
    ...manPages(program, edition).map(({ name, text }) => ({
      path: `/usr/share/man/man1/${name}.gz`,
      from: gzipped(text),
    })),
    { path: '/usr/share/bash-completion/completions/shoal', from: Buffer.from(bashCompletion(program)) },
    { path: '/usr/share/fish/vendor_completions.d/shoal.fish', from: Buffer.from(fishCompletion(program)) },
    { path: `${zshFunctions}/_shoal`, from: Buffer.from(zshCompletion(program)) },
  ];
}

/** Without a time in it: the same text gives the same bytes. */
export function gzipped(text: string | Buffer): Buffer {
  return gzipSync(text, { level: 9 });
}
