/** Programs that know credentials: run with something small on their input, within a deadline, their output bounded and never repeated. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { CodedError, messageOf } from '../runtime/errors.ts';

export interface ProgramRun {
  /** Found by the environment's PATH when it is no path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How messages call it. */
  readonly name: string;
  /** A program that says more is ended. */
  readonly outputBytesMax: number;
}

/**
 * Runs it to its end; when the signal aborts it is killed.
 * @throws CodedError UNAVAILABLE when it cannot be run, is killed, or says too much
 */
export function runProgram(
  run: ProgramRun,
  { signal }: { signal: AbortSignal },
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child: ChildProcessWithoutNullStreams = spawn(run.program, [...run.args], {
      env: { ...run.env },
      signal,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    let total = 0;
    const fail = (reason: string, cause?: unknown) =>
      reject(new CodedError('UNAVAILABLE', `${run.name} ${reason}`, { cause }));
    child.once('error', (error) => {
      fail(signal.aborted ? 'was late, and was ended' : `could not be run: ${messageOf(error)}`, error);
      // What it has started may hold its ends of the pipes for longer.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    });
    child.once('close', (code) => resolve({ code: code ?? -1, output: Buffer.concat(chunks).toString('utf8') }));
    child.stdout.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total <= run.outputBytesMax) chunks.push(chunk);
      else {
        fail(`said more than ${run.outputBytesMax} bytes`);
        child.kill('SIGKILL');
        child.stdout.destroy();
      }
    });
    child.stderr.resume();
    // It may exit without reading its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(run.input);
  });
}
