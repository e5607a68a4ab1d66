/**
 * The whole program as one file, with the files that it reads beside it. In `folder`: `lib/shoal/shoal.mjs`, what it imports from npm's
 * packages included, and the wire definitions and pages that it reads, each where it is in the repository (`proto/…`).
 */
import { cp, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Plugin, build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const OUTPUT = 'lib/shoal/shoal.mjs';

export interface BundledProgram {
  /** Files that were bundled, as paths in the repository. */
  readonly inputs: readonly string[];
}

/** Makes `folder` anew. @throws Error when a module looks for a file in a way that a bundle cannot follow */
export async function bundleProgram(folder: string, { sourceMap }: { sourceMap: boolean }): Promise<BundledProgram> {
  const assets = new Set<string>();
  await rm(folder, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['cli/main.ts'],
    outfile: join(folder, OUTPUT),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: sourceMap,
    metafile: true,
    legalComments: 'none',
    // Dependencies in CommonJS call `require` for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [ownFiles(assets)],
  });
  for (const asset of assets) await cp(join(ROOT, asset), join(folder, asset), { recursive: true });
  return { inputs: Object.keys(metafile.inputs).sort() };
}

/** Modules name files of ours relative to themselves; from the bundle the way is another one. Collects what they name. */
function ownFiles(assets: Set<string>): Plugin {
  return {
    name: 'own-files',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path.includes('/node_modules/')) return undefined;
        // The bundle is started by the Node beside it, never by its first line.
        const source = (await readFile(path, 'utf8')).replace(/^#!.*/, '');
        const { text, named } = fromTheBundle(source, relative(ROOT, path));
        for (const asset of named) assets.add(asset);
        return { contents: text, loader: 'ts' };
      });
    },
  };
}

/** A module's text with its own files named as the bundle has to, and those files as paths in the repository. Pure. */
export function fromTheBundle(text: string, module: string): { text: string; named: string[] } {
  const named: string[] = [];
  const rewritten = text.replace(/new URL\(\s*'(\.[^']*)',\s*import\.meta\.url,?\s*\)/g, (_, path: string) => {
    const file = join(dirname(module), path);
    named.push(file);
    // A folder's name keeps its slash, which decides how names below it are resolved.
    return `new URL('${relative(dirname(OUTPUT), file)}${file.endsWith('/') ? '/' : ''}', import.meta.url)`;
  });
  if (/import\.meta\.(dirname|filename|resolve)/.test(rewritten)) {
    throw new Error(
      `${module} finds files by import.meta in a way that the bundle cannot follow; use new URL('…', import.meta.url)`,
    );
  }
  return { text: rewritten, named };
}
