/** `npm run package`: packages for both architectures in both formats, their checksums, and what is in them. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { bundleProgram } from './bundle-program.ts';
import { bundledPackages, licenseTexts } from './bundled-packages.ts';
import { DEB_ZSH_FUNCTIONS, buildDeb, debDocumentation } from './deb/build-deb.ts';
import { fetchNodeRuntime } from './node-runtime.ts';
import { SHIPPED, generatedFiles } from './package-files.ts';
import { ARCHITECTURES, type Architecture, type Release } from './release.ts';
import { RPM_ZSH_FUNCTIONS, buildRpm, rpmDocumentation } from './rpm/build-rpm.ts';
import { sbom } from './sbom.ts';
import { stageTree } from './stage-tree.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FORMATS = ['deb', 'rpm'] as const;
/** Nobody is reached there; who publishes packages names himself. */
const MAINTAINER = 'Shoal maintainers <maintainers@shoal.invalid>';

interface Typed {
  readonly output: string;
  readonly format: readonly string[];
  readonly arch: readonly string[];
  readonly revision: string;
  readonly maintainer: string;
  readonly fast?: true;
}

const options = new Command('package')
  .description('builds packages, without root')
  .option('--output <folder>', 'where they go', join(ROOT, 'dist/packages'))
  .option('--format <names...>', 'deb, rpm', [...FORMATS])
  .option(
    '--arch <names...>',
    'amd64, arm64',
    ARCHITECTURES.map(({ deb }) => deb),
  )
  .option('--revision <number>', 'of the packaging of this version', '1')
  .option('--maintainer <name>', 'who answers for them', process.env.SHOAL_PACKAGE_MAINTAINER ?? MAINTAINER)
  .option('--fast', 'larger packages in less time')
  .parse()
  .opts<Typed>();

await makePackages(options);

async function makePackages(typed: Typed): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'shoal-package-'));
  try {
    const output = resolve(typed.output);
    await mkdir(output, { recursive: true });
    const release: Release = {
      version: manifest.version,
      revision: Number(typed.revision),
      epochSeconds: await sourceDate(),
      maintainer: typed.maintainer,
      isFast: typed.fast === true,
    };
    const bundle = join(work, 'bundle');
    const { inputs } = await bundleProgram(bundle, { sourceMap: false });
    const packages = bundledPackages(inputs);
    const licenses = await licenseTexts(packages);
    const made: string[] = [];
    for (const architecture of ARCHITECTURES.filter(({ deb }) => typed.arch.includes(deb))) {
      const { file: node, license } = await fetchNodeRuntime(architecture, work);
      const parts = { work, output, bundle, node, licenses: `${licenses}\n\nNode\n\n${license}` };
      for (const format of FORMATS.filter((name) => typed.format.includes(name))) {
        made.push(await (format === 'deb' ? makeDeb : makeRpm)(parts, architecture, release));
      }
    }
    const list = join(output, `shoal-${release.version}-${release.revision}.cdx.json`);
    await writeFile(list, sbom(packages, release));
    await writeChecksums(output, [...made, list]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Parts {
  readonly work: string;
  readonly output: string;
  readonly bundle: string;
  readonly node: string;
  readonly licenses: string;
}

async function makeDeb(parts: Parts, architecture: Architecture, release: Release): Promise<string> {
  const files = [
    ...SHIPPED,
    ...generatedFiles(release, { zshFunctions: DEB_ZSH_FUNCTIONS }),
    ...(await debDocumentation(release, parts)),
  ];
  const folder = join(parts.work, 'deb');
  await stageTree({ ...parts, folder, files, epochSeconds: release.epochSeconds });
  return buildDeb({ folder, output: parts.output, files }, architecture, release);
}

async function makeRpm(parts: Parts, architecture: Architecture, release: Release): Promise<string> {
  const files = [
    ...SHIPPED,
    ...generatedFiles(release, { zshFunctions: RPM_ZSH_FUNCTIONS }),
    ...(await rpmDocumentation(parts.licenses)),
  ];
  const folder = join(parts.work, 'rpm');
  await stageTree({ ...parts, folder, files, epochSeconds: release.epochSeconds });
  return buildRpm({ folder, output: parts.output, files }, architecture, release);
}

/** `sha256sum --check` reads it. */
async function writeChecksums(output: string, files: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) {
    const bytes = await readFile(file);
    lines.push(`${createHash('sha256').update(bytes).digest('hex')}  ${basename(file)}\n`);
    process.stdout.write(`${file} (${(bytes.length / 1024 / 1024).toFixed(1)} MiB)\n`);
  }
  await writeFile(join(output, 'SHA256SUMS'), lines.join(''));
}

/** SOURCE_DATE_EPOCH, or else the time of the commit that is packaged (https://reproducible-builds.org/specs/source-date-epoch/). */
async function sourceDate(): Promise<number> {
  const said = process.env.SOURCE_DATE_EPOCH;
  const text = said ?? (await promisify(execFile)('git', ['-C', ROOT, 'log', '-1', '--format=%ct'])).stdout;
  const seconds = Number(text);
  if (!Number.isSafeInteger(seconds) || seconds <= 0)
    throw new Error(`SOURCE_DATE_EPOCH "${text}" is not a number of seconds since 1970`);
  return seconds;
}
