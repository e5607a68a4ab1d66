/** npm's packages of which something is in the bundle: their versions, licences and origins. */
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import lock from '../package-lock.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '..');

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX; undefined when it does not say. */
  readonly license: string | undefined;
  /** Subresource Integrity of its archive. */
  readonly integrity: string | undefined;
  /** `node_modules/a/node_modules/b`. */
  readonly folder: string;
}

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
}

/** By name, then version. `inputs`: files that were bundled, as paths in the repository. */
export function bundledPackages(inputs: readonly string[]): BundledPackage[] {
  const entries: Readonly<Record<string, LockEntry>> = lock.packages;
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  return [...folders]
    .map((folder) => {
      const entry = entries[folder];
      if (entry?.version === undefined)
        throw new Error(`package-lock.json does not know "${folder}", of which something is in the bundle`);
      const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { name, version: entry.version, license: entry.license, integrity: entry.integrity, folder };
    })
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

/** The folder of the package that a file belongs to; undefined for our own. Pure. */
export function packageFolder(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

/** The licence texts of all of them, as they lie beside their code. */
export async function licenseTexts(packages: readonly BundledPackage[]): Promise<string> {
  const parts = packages.map(async ({ name, version, license, folder }) => {
    const names = (await readdir(join(ROOT, folder)))
      .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
      .sort();
    const texts = await Promise.all(names.map((file) => readFile(join(ROOT, folder, file), 'utf8')));
    return `${name} ${version} (${license ?? 'see its text'})\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`;
  });
  return (await Promise.all(parts)).join(`\n${'-'.repeat(79)}\n\n`);
}
