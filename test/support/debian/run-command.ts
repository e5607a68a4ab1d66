/** Runs one short command to its end and keeps what it printed. For tests only; output is bounded. */
import { execFile } from 'node:child_process';

/** More than any command here prints; past it the command is ended and fails. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

const DEADLINE_MS_DEFAULT = 60_000;

export interface CommandResult {
  /** The exit status; -1 when a signal or the deadline ended it. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  deadlineMs?: number;
  signal?: AbortSignal;
}

/** Never throws for a command that fails: look at `exitCode`. @throws Error when the program is not there */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const settings = {
      env: { ...process.env, ...options.env },
      timeout: options.deadlineMs ?? DEADLINE_MS_DEFAULT,
      maxBuffer: OUTPUT_BYTES_MAX,
      encoding: 'utf8' as const,
      ...(options.signal && { signal: options.signal }),
    };
    execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') return reject(error);
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
  });
}
