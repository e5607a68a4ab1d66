/** A seed from its request until its pin ends: who has been looked after, and who comes later. */
import { isPlatformFor } from '../../../core/oci/platform.ts';
import { digestOf } from '../../../core/oci/digest.ts';
import type { SeedImage, SeedRequest, SeedStatus } from '../seed.ts';
import { Counts } from './counts.ts';
import type { SeedMember } from './members.ts';
import type { Platform } from '../../../core/oci/descriptor.ts';

/** A newcomer that fails so often is left to whoever asks for the seed again. */
const TRIES_MAX = 5;

export class KeptSeed {
  readonly id: string;
  readonly request: SeedRequest;
  readonly startedAtMs: number;
  readonly counts = new Counts();
  readonly stop = new AbortController();
  isRunning = true;
  newcomers = 0;
  /** Members that this seed has turned to, or that were there before it. */
  readonly #known: Set<string>;
  readonly #tries = new Map<string, number>();

  constructor(id: string, request: SeedRequest, { nowMs, live }: { nowMs: number; live: readonly SeedMember[] }) {
    this.id = id;
    // Newcomers' manifests are found again on this disk: a hundred kept requests must not hold theirs in memory.
    this.request = { ...request, images: request.images.map(withoutBytes) };
    this.startedAtMs = nowMs;
    this.#known = new Set(live.map(({ name }) => name));
  }

  /** Seeds of the same images for the same pin and members: a newer one takes an older one's place. */
  get key(): string {
    const { pin, level, images, targets, newcomers } = this.request;
    const digests = images.map(({ ref, digest }) => [ref, digest]);
    return digestOf(JSON.stringify([pin.name, level, digests, targets, newcomers ?? null]));
  }

  /** Members that have come since, and are meant; each is given once for each coming. */
  takeNewcomers(live: readonly SeedMember[]): SeedMember[] {
    const names = new Set(live.map(({ name }) => name));
    for (const name of this.#known) if (!names.has(name)) this.#forget(name);
    const come = live.filter((member) => !this.#known.has(member.name) && this.#means(member));
    for (const { name } of come) this.#known.add(name);
    return come;
  }

  isForPlatform(member: SeedMember, platform: Platform): boolean {
    const { targets, newcomers } = this.request;
    if (targets.includes(member.name)) return true;
    return newcomers?.platforms === undefined || newcomers.platforms.some((one) => isPlatformFor(one, platform));
  }

  /** To be tried again with the next look, a few times. */
  failed(name: string): void {
    const tries = (this.#tries.get(name) ?? 0) + 1;
    this.#tries.set(name, tries);
    if (tries < TRIES_MAX) this.#known.delete(name);
  }

  status(): SeedStatus {
    const { id, request, startedAtMs, newcomers } = this;
    return {
      id,
      startedAtMs,
      newcomers,
      state: this.isRunning ? 'running' : 'keeping',
      pin: request.pin,
      level: request.level,
      refs: request.images.map(({ ref }) => ref),
      nodes: request.targets.length,
      ...this.counts.get(),
    };
  }

  #forget(name: string): void {
    this.#known.delete(name);
    this.#tries.delete(name);
  }

  #means({ name, zone, mode }: SeedMember): boolean {
    const { targets, newcomers } = this.request;
    if (targets.includes(name)) return true;
    if (newcomers === undefined || mode === 'observer') return false;
    return newcomers.zones === undefined || newcomers.zones.includes(zone);
  }
}

function withoutBytes(image: SeedImage): SeedImage {
  return { ...image, manifests: image.manifests.map(({ bytes: _bytes, ...descriptor }) => descriptor) };
}
