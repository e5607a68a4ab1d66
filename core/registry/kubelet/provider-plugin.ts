/**
 * One of the kubelet's credential provider plugins: run for an image, its answer kept for as long as it says and for what it
 * says (kubernetes pkg/credentialprovider/plugin). One run at a time for an image, a few of the plugin.
 */
import { join } from 'node:path';
import { BoundedMap } from '../../runtime/bounded-map.ts';
import type { Clock } from '../../runtime/clock.ts';
import { CodedError, messageOf } from '../../runtime/errors.ts';
import { Semaphore } from '../../runtime/semaphore.ts';
import { runProgram } from '../run-program.ts';
import { SingleFlight } from '../single-flight.ts';
import { isImageMatched } from './image-globs.ts';
import { type ProviderAnswer, parseProviderAnswer, providerRequest } from './provider-answer.ts';
import type { ProviderSpec } from './provider-config.ts';

/** The kubelet's own, milliseconds. */
export const DEADLINE_MS = 60_000;
/** A thousand tokens of a cloud. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** Answers kept, by image, registry and one for all. */
const ANSWERS_MAX = 2_048;
/** Programs running at once; the kubelet has no bound, but pulls one image at a time by default. */
const RUNS_MAX = 4;
const RUNS_WAITING_MAX = 1_024;
const GLOBAL = ' global';

export interface ProviderPluginOptions {
  readonly binDirectory: string;
  /** Our own environment, which the configuration's variables win over. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly deadlineMs?: number;
}

interface Kept {
  readonly answer: ProviderAnswer;
  readonly untilMs: number;
}

export class ProviderPlugin {
  readonly #spec: ProviderSpec;
  readonly #options: ProviderPluginOptions;
  readonly #answers = new BoundedMap<string, Kept>({ entriesMax: ANSWERS_MAX });
  readonly #flights: SingleFlight<ProviderAnswer>;
  readonly #runs = new Semaphore({ permits: RUNS_MAX, waitersMax: RUNS_WAITING_MAX });

  constructor(spec: ProviderSpec, options: ProviderPluginOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#flights = new SingleFlight({ deadlineMs: options.deadlineMs ?? DEADLINE_MS });
  }

  /** Whether it answers for an image at all. */
  answersFor(image: string): boolean {
    return this.#spec.matchImages.some((glob) => isImageMatched(glob, image));
  }

  /**
   * What it says of an image, now or lately.
   * @throws CodedError UNAVAILABLE when it cannot be run, fails, is late or answers nonsense; nothing that it said is repeated
   */
  async ask(image: string, options: { signal: AbortSignal }): Promise<ProviderAnswer> {
    return this.#kept(image) ?? (await this.#flights.run(image, (call) => this.#run(image, call), options));
  }

  #kept(image: string): ProviderAnswer | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    for (const key of [image, registryOf(image), GLOBAL]) {
      const found = this.#answers.get(key);
      if (found !== undefined && found.untilMs > nowMs) return found.answer;
      if (found !== undefined) this.#answers.delete(key);
    }
    return undefined;
  }

  async #run(image: string, { signal }: { signal: AbortSignal }): Promise<ProviderAnswer> {
    const { name, apiVersion, args, env, defaultCacheMs } = this.#spec;
    const { binDirectory, clock, env: own } = this.#options;
    const title = `Credential provider "${name}"`;
    const { code, output } = await this.#runs.run(
      () =>
        runProgram(
          {
            ...{ program: join(binDirectory, name), args, name: title, outputBytesMax: OUTPUT_BYTES_MAX },
            input: providerRequest(apiVersion, image),
            env: { ...own, ...Object.fromEntries(env.map((variable) => [variable.name, variable.value])) },
          },
          { signal },
        ),
      { signal },
    );
    if (code !== 0) throw new CodedError('UNAVAILABLE', `${title} failed for "${image}" with exit code ${code}`);
    const answer = answerOf(title, output, apiVersion);
    const cacheMs = answer.cacheMs ?? defaultCacheMs;
    const keys = { Image: image, Registry: registryOf(image), Global: GLOBAL } as const;
    if (cacheMs > 0) this.#answers.set(keys[answer.cacheKeyType], { answer, untilMs: clock.monotonicMs() + cacheMs });
    return answer;
  }
}

function answerOf(title: string, output: string, apiVersion: string): ProviderAnswer {
  try {
    return parseProviderAnswer(output, apiVersion);
  } catch (error) {
    throw new CodedError('UNAVAILABLE', `${title}: ${messageOf(error)}`);
  }
}

function registryOf(image: string): string {
  return image.split('/', 1)[0] ?? '';
}
