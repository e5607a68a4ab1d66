/** A Debian package, packed by dpkg-deb (no root: it writes root as the owner of everything). */
import { mkdir, readFile, readdir, stat, writeFile, chmod } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import { type PackageFile, gzipped } from '../package-files.ts';
import { type Architecture, DESCRIPTION, type Release, SUMMARY, wrapped } from '../release.ts';
import { runTool } from '../run-tool.ts';
import { setTimes } from '../stage-tree.ts';

const HERE = import.meta.dirname;
const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;
export const DEB_ZSH_FUNCTIONS = '/usr/share/zsh/vendor-completions';

export interface Documentation {
  /** Licences of what is bundled, and of the runtime. */
  readonly licenses: string;
}

/** What Debian wants beside the program. */
export async function debDocumentation(release: Release, { licenses }: Documentation): Promise<PackageFile[]> {
  const changelog = await readFile(resolve(HERE, '../../CHANGELOG.md'), 'utf8');
  const folder = '/usr/share/doc/shoal';
  return [
    { path: `${folder}/copyright`, from: 'packaging/deb/copyright' },
    { path: `${folder}/changelog.gz`, from: gzipped(changelog) },
    { path: `${folder}/changelog.Debian.gz`, from: gzipped(debianChangelog(release)) },
    { path: `${folder}/THIRD-PARTY-LICENSES.gz`, from: gzipped(licenses) },
    { path: '/usr/share/lintian/overrides/shoal', from: 'packaging/deb/lintian-overrides' },
  ];
}

/** Packs the tree in `folder`, and returns the package's file in `output`. */
export async function buildDeb(
  { folder, output, files }: { folder: string; output: string; files: readonly PackageFile[] },
  architecture: Architecture,
  release: Release,
): Promise<string> {
  const control = join(folder, 'DEBIAN');
  await mkdir(control);
  const installedKiB = await sizeInKiB(folder);
  await writeFile(join(control, 'control'), controlText(architecture, release, installedKiB));
  await writeFile(
    join(control, 'conffiles'),
    files
      .filter((file) => file.isConfiguration)
      .map(({ path }) => `${path}\n`)
      .join(''),
  );
  await writeFile(join(control, 'md5sums'), await md5sums(folder));
  for (const file of ['control', 'conffiles', 'md5sums']) await chmod(join(control, file), 0o644);
  for (const script of SCRIPTS) {
    await writeFile(join(control, script), await readFile(join(HERE, script)));
    await chmod(join(control, script), 0o755);
  }
  await setTimes(folder, release.epochSeconds);
  const deb = join(output, `shoal_${release.version}-${release.revision}_${architecture.deb}.deb`);
  // Every dpkg reads xz.
  const level = release.isFast ? ['-z0'] : ['-z6'];
  await runTool('dpkg-deb', ['--root-owner-group', '-Zxz', ...level, '--build', folder, deb], {
    SOURCE_DATE_EPOCH: String(release.epochSeconds),
  });
  return deb;
}

function controlText({ deb }: Architecture, { version, revision, maintainer }: Release, installedKiB: number): string {
  const description = DESCRIPTION.map((paragraph) =>
    wrapped(paragraph)
      .map((line) => ` ${line}\n`)
      .join(''),
  ).join(' .\n');
  return `Package: shoal
Version: ${version}-${revision}
Architecture: ${deb}
Maintainer: ${maintainer}
Installed-Size: ${installedKiB}
Depends: libc6 (>= 2.28), libgcc-s1 (>= 3.4), libstdc++6 (>= 6), init-system-helpers (>= 1.54)
Recommends: systemd
Enhances: containerd, docker.io
Section: admin
Priority: optional
Description: ${SUMMARY}
${description}`;
}

function debianChangelog({ version, revision, maintainer, epochSeconds }: Release): string {
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `shoal (${version}-${revision}) unstable; urgency=medium\n\n  * What changed is told in changelog.gz.\n\n -- ${maintainer}  ${date}\n`;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return paths.filter((path) => !path.startsWith('DEBIAN/')).sort();
}

async function sizeInKiB(folder: string): Promise<number> {
  const sizes = await Promise.all(
    (await filesBelow(folder)).map(async (path) => (await stat(join(folder, path))).size),
  );
  return sizes.reduce((sum, size) => sum + Math.ceil(size / 1024), 0);
}

async function md5sums(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const path of await filesBelow(folder)) {
    lines.push(
      `${createHash('md5')
        .update(await readFile(join(folder, path)))
        .digest('hex')}  ${path}\n`,
    );
  }
  return lines.join('');
}
