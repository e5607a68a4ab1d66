/** Rendering a chart with the user's own `helm`. Nothing of a chart is run: templates are text. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { CodedError, messageOf } from '../../../core/runtime/errors.ts';
import { FILE_BYTES_MAX } from '../files/bounded-read.ts';

/** For one chart, milliseconds. Rendering takes seconds; helm may look for a cluster's version. */
const RENDER_MS = 60_000;
const REASON_LENGTH_MAX = 500;

export interface ChartRenderer {
  /** The manifests of a chart. @throws CodedError FAILED_PRECONDITION with what helm said */
  render(path: string, options: { values: readonly string[]; signal: AbortSignal }): Promise<string>;
}

export type HelmEnvironment = Readonly<Record<string, string | undefined>>;

/** `helm` on the PATH; undefined when it is not there. */
export async function findHelm(env: HelmEnvironment): Promise<ChartRenderer | undefined> {
  const folders = (env.PATH ?? '').split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    const file = join(folder, 'helm');
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return { render: (path, options) => template({ file, path, env, ...options }) };
  }
  return undefined;
}

interface Render {
  readonly file: string;
  readonly path: string;
  readonly env: HelmEnvironment;
  readonly values: readonly string[];
  readonly signal: AbortSignal;
}

function template({ file, path, env, values, signal }: Render): Promise<string> {
  const flags = values.flatMap((name) => ['--values', name]);
  const args = ['template', 'release', ...flags, '--', path];
  const options = { env, signal, timeout: RENDER_MS, maxBuffer: FILE_BYTES_MAX };
  return new Promise((resolve, reject) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (signal.aborted) return reject(signal.reason);
      const said = (stderr.trim() || messageOf(error)).replace(/\s+/g, ' ').slice(0, REASON_LENGTH_MAX);
      reject(new CodedError('FAILED_PRECONDITION', `helm template failed: ${said}`, { cause: error }));
    });
  });
}
