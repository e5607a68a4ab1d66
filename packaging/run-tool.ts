/** One of the distributions' own tools, run to its end. */
import { execFile } from 'node:child_process';

/** Compressing a runtime takes a minute on a slow machine. */
const DEADLINE_MS = 15 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** What it printed. @throws Error with what it said when it fails, or how to have it when it is not there */
export function runTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: DEADLINE_MS, maxBuffer: OUTPUT_BYTES_MAX };
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const isMissing = 'code' in error && error.code === 'ENOENT';
      const reason = isMissing
        ? `is not here (Debian: apt install ${program === 'rpmbuild' ? 'rpm' : 'dpkg'})`
        : `failed: ${stderr || error.message}`;
      reject(new Error(`${program} ${reason}`));
    });
  });
}
