/**
 * What is done whenever containerd connects, and now and then: its lists are read, manifests on this disk are learned
 * (a restarted daemon knows no sizes), and what is listed is compared with what is here.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Source } from '../../../core/oci/source.ts';
import type { Background } from './background.ts';
import { type ComparisonDeps, compareWithContainerd, type Listed, listEverything } from './comparison.ts';
import type { ImageNames } from './image-names.ts';
import type { ManifestLearner } from './manifest-learner.ts';
import { isManifestByLabels, sourcesInLabels } from './source-names.ts';

/** A record that came long after its claim was given back waits at most so long to be found. */
const COMPARE_EVERY_MS = 5 * 60_000;

export interface ContainerdWatchDeps extends ComparisonDeps {
  names: ImageNames;
  /** Absent when nothing is claimed that is not here. */
  learner?: ManifestLearner;
  background: Background;
}

export class ContainerdWatch {
  readonly #deps: ContainerdWatchDeps;
  #isRunning = false;
  #isWanted = false;
  #stopListening: (() => void) | undefined;

  constructor(deps: ContainerdWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopListening = this.#deps.containerd.onConnect(() => this.#want());
    if (this.#deps.containerd.isReachable()) this.#want();
    this.#deps.background.spawn(async (signal) => {
      for (;;) {
        await this.#deps.clock.sleep(COMPARE_EVERY_MS, { signal });
        if (this.#deps.containerd.isReachable()) this.#want();
      }
    });
  }

  stop(): void {
    this.#stopListening?.();
  }

  /** One round at a time; a connect during a round asks for one more. */
  #want(): void {
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#deps.background.spawn((signal) =>
      this.#rounds(signal).finally(() => {
        this.#isRunning = false;
      }),
    );
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      try {
        const listed = await listEverything(this.#deps.containerd, { signal });
        await this.#learn(listed, signal);
        await compareWithContainerd(this.#deps, listed, { signal });
      } catch (error) {
        signal.throwIfAborted();
        this.#deps.events.comparisonFailed(error);
      }
    }
  }

  /** Manifests first, so that the comparison knows what each blob is. */
  async #learn(listed: Listed, signal: AbortSignal): Promise<void> {
    const { learner, names } = this.#deps;
    if (learner === undefined) return;
    await names.refresh({ signal, isForced: true });
    for (const { digest, labels } of listed.values()) {
      // A pull that was interrupted has manifests and no image.
      if (isManifestByLabels(labels)) await this.#learnOne(digest, sourcesInLabels(labels), signal);
    }
    for (const digest of names.targets()) await this.#learnOne(digest, names.sourcesOf(digest), signal);
  }

  /** One that cannot be read stops nothing. */
  async #learnOne(digest: Digest, sources: readonly Source[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const failed = (error: unknown) => this.#deps.events.notLearned(digest, error);
    await this.#deps.learner?.learnFromDisk(digest, sources).catch(failed);
  }
}
