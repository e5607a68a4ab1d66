/** An RPM package, packed by rpmbuild from a tree that is complete (no root, nothing is compiled). */
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type PackageFile, gzipped } from '../package-files.ts';
import { type Architecture, DESCRIPTION, type Release, SUMMARY, wrapped } from '../release.ts';
import { runTool } from '../run-tool.ts';

export const RPM_ZSH_FUNCTIONS = '/usr/share/zsh/site-functions';

/** What RPM's distributions want beside the program. */
export async function rpmDocumentation(licenses: string): Promise<PackageFile[]> {
  const changelog = await readFile(resolve(import.meta.dirname, '../../CHANGELOG.md'));
  return [
    { path: '/usr/share/doc/shoal/CHANGELOG.md', from: changelog },
    { path: '/usr/share/licenses/shoal/THIRD-PARTY-LICENSES.gz', from: gzipped(licenses) },
    { path: '/usr/lib/systemd/system-preset/80-shoal.preset', from: 'packaging/systemd/80-shoal.preset' },
  ];
}

/** Packs the tree in `folder`, and returns the package's file in `output`. */
export async function buildRpm(
  { folder, output, files }: { folder: string; output: string; files: readonly PackageFile[] },
  architecture: Architecture,
  release: Release,
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'shoal-rpm-'));
  try {
    const spec = join(work, 'shoal.spec');
    await writeFile(spec, await specText(files, release));
    await mkdir(join(work, 'RPMS'));
    const definitions = {
      _topdir: work,
      _rpmdir: join(work, 'RPMS'),
      staged: folder,
      ...macrosOf(release),
    };
    await runTool(
      'rpmbuild',
      [
        ...['-bb', '--quiet', '--target', `${architecture.rpm}-linux`],
        ...Object.entries(definitions).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
        spec,
      ],
      { SOURCE_DATE_EPOCH: String(release.epochSeconds) },
    );
    const [built = ''] = await readdir(join(work, 'RPMS', architecture.rpm));
    const rpm = join(output, built);
    await rename(join(work, 'RPMS', architecture.rpm, built), rpm);
    return rpm;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Nothing of the building machine gets into the package, and nothing is done to the tree. */
function macrosOf({ isFast }: Release): Record<string, string> {
  return {
    _buildhost: 'localhost',
    _build_id_links: 'none',
    debug_package: '%{nil}',
    __os_install_post: '%{nil}',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    source_date_epoch_from_changelog: '0',
    _binary_payload: isFast ? 'w3.zstdio' : 'w19T2.zstdio',
    _source_filedigest_algorithm: '8',
    _binary_filedigest_algorithm: '8',
  };
}

async function specText(files: readonly PackageFile[], release: Release): Promise<string> {
  const scripts = await Promise.all(
    (['post', 'preun', 'postun'] as const).map(
      async (name) => `%${name}\n${(await readFile(join(import.meta.dirname, name), 'utf8')).replace(/^#!.*\n/, '')}`,
    ),
  );
  return `Name: shoal
Version: ${release.version}
Release: ${release.revision}
Summary: ${SUMMARY[0]?.toUpperCase()}${SUMMARY.slice(1)}
License: Apache-2.0 AND MIT
Packager: ${release.maintainer}
AutoProv: no

%description
${DESCRIPTION.map((paragraph) => wrapped(paragraph).join('\n')).join('\n\n')}

%install
cp -a %{staged}/. %{buildroot}

${scripts.join('\n')}
%files
%defattr(-,root,root,-)
%dir /etc/shoal
${files.map(fileLine).join('\n')}
/usr/lib/shoal

%changelog
* ${changelogDay(release)} ${release.maintainer} - ${release.version}-${release.revision}
- What changed is told in /usr/share/doc/shoal/CHANGELOG.md
`;
}

/** `Sun Nov 22 2026`. */
function changelogDay({ epochSeconds }: Release): string {
  const [weekday = '', day, month, year] = new Date(epochSeconds * 1000).toUTCString().split(' ');
  return `${weekday.slice(0, 3)} ${month} ${day} ${year}`;
}

function fileLine({ path, isConfiguration }: PackageFile): string {
  if (isConfiguration) return `%config(noreplace) ${path}`;
  if (path.startsWith('/usr/share/licenses/')) return `%license ${path}`;
  if (path.startsWith('/usr/share/doc/') || path.startsWith('/usr/share/man/')) return `%doc ${path}`;
  return path.startsWith('/usr/lib/shoal/') ? '' : path;
}
