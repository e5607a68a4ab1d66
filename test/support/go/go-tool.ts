/** Programs that only Go's module proxy has: built once into `.work/go-bin`, by the version that is asked for. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const WORK = process.env.SHOAL_TEST_WORK ?? resolve(import.meta.dirname, '../../../.work');
/** Compiling a large program for the first time on two cores. */
const BUILD_TIMEOUT_MS = 600_000;
/** Of Go's output, in the line that says why. */
const REASON_CHARS_MAX = 300;

export type GoTool = { readonly program: string } | { readonly reason: string };

/** `goTool('helm.sh/helm/v3/cmd/helm', 'v3.19.0')`; where it cannot be had, why. */
export function goTool(module: string, version: string): GoTool {
  const name = module.split('/').at(-1) ?? module;
  const folder = join(WORK, 'go-bin', `${name}-${version}`);
  const program = join(folder, name);
  if (existsSync(program)) return { program };
  const run = spawnSync('go', ['install', `${module}@${version}`], {
    env: { ...process.env, GOBIN: folder },
    encoding: 'utf8',
    timeout: BUILD_TIMEOUT_MS,
  });
  if (run.error !== undefined) return { reason: `no "go" on the PATH (${run.error.message})` };
  return run.status === 0 ? { program } : { reason: run.stderr.trim().slice(-REASON_CHARS_MAX) };
}
