/** docker's credential helpers (docker/docker-credential-helpers): a program that is asked for one host's credential. */
import { isJsonObject } from '../oci/descriptor-json.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Credential } from './credentials.ts';
import { runProgram } from './run-program.ts';

/** A helper may have to ask its cloud; a pull does not wait longer, milliseconds. */
const DEADLINE_MS = 15_000;
/** Tokens of clouds are some kilobytes. */
const OUTPUT_BYTES_MAX = 64 * 1024;

export interface HelperOptions {
  /** The environment that the helper runs in; its PATH finds the helper. */
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  deadlineMs?: number;
}

/**
 * Runs `docker-credential-<name> get` with `key` on its input.
 * @returns undefined when it knows none
 * @throws CodedError UNAVAILABLE when it is missing, fails, is late or says too much; none of its output is repeated
 */
export async function askHelper(name: string, key: string, options: HelperOptions): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  const deadline = AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS);
  const { code, output } = await runProgram(
    {
      ...{ program, args: ['get'], input: key, env: options.env },
      name: `Credential helper "${program}"`,
      outputBytesMax: OUTPUT_BYTES_MAX,
    },
    { signal: AbortSignal.any([options.signal, deadline]) },
  );
  if (code === 0) return parseAnswer(program, output);
  if (/credentials not found/i.test(output)) return undefined;
  throw new CodedError('UNAVAILABLE', `Credential helper "${program}" failed for "${key}" with exit code ${code}`);
}

/** `{ "ServerURL", "Username", "Secret" }`; the user name `<token>` marks an identity token. */
function parseAnswer(program: string, output: string): Credential | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    answer = undefined;
  }
  if (!isJsonObject(answer) || typeof answer.Username !== 'string' || typeof answer.Secret !== 'string') {
    throw new CodedError('UNAVAILABLE', `Credential helper "${program}" did not answer with Username and Secret`);
  }
  const { Username: username, Secret: secret } = answer;
  if (username === '<token>') return { kind: 'identity', refreshToken: secret };
  return username === '' && secret === '' ? undefined : { kind: 'basic', username, password: secret };
}
