/** Warm pins: a directory a pin, a hard link a blob, and the pin's end in a file beside them. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOfHex } from '../../core/oci/digest.ts';
import { CodedError, fromErrno } from '../../core/runtime/errors.ts';
import type { BlobIndex } from './blob-index.ts';
import type { DiskBlobs } from './disk-blobs.ts';
import { type Layout, pinDirectoryName, pinNameOf } from './layout.ts';
import { Serial } from './serial.ts';
import { replaceFile } from './small-file.ts';
import type { DirectorySyncer } from './sync-dir.ts';
import type { StoreTelemetry } from './telemetry.ts';
import type { Trash } from './trash.ts';

/** A pin's name becomes a directory's name, which Linux bounds at 255 bytes. */
export const PIN_NAME_BYTES_MAX = 255;
/** Pins at once; the warmer makes one for each event that is near. */
export const PINS_MAX = 10_000;
/** The file that holds a pin's end; no digest has this name. */
export const PIN_END_FILE = 'end';

interface Pin {
  untilMs: number;
  readonly digests: Set<Digest>;
}

export interface PinsDeps {
  layout: Layout;
  index: BlobIndex;
  blobs: DiskBlobs;
  syncer: DirectorySyncer;
  trash: Trash;
  telemetry: StoreTelemetry;
  now: () => number;
}

export class PinDirectories {
  readonly #deps: PinsDeps;
  readonly #pins = new Map<string, Pin>();
  readonly #serial = new Serial();

  constructor(deps: PinsDeps) {
    this.#deps = deps;
  }

  /** Reads every pin; those without a readable end were never promised and go. `onLink` hears of every blob's link. */
  load(onLink: (path: string, digest: Digest, pin: { pin: string; untilMs: number }) => void): void {
    const { layout, trash } = this.#deps;
    for (const directoryName of readdirSync(layout.pins)) {
      const directory = join(layout.pins, directoryName);
      const name = pinNameOf(directoryName);
      const untilMs = name === undefined ? undefined : readEnd(join(directory, PIN_END_FILE));
      if (name === undefined || untilMs === undefined) trash.discard(directory);
      else this.#pins.set(name, { untilMs, digests: this.#loadLinks(directory, { pin: name, untilMs }, onLink) });
    }
  }

  /** Pins that have not ended. */
  *list(): Generator<{ name: string; untilMs: number; digests: readonly Digest[] }> {
    const now = this.#deps.now();
    for (const [name, pin] of [...this.#pins]) {
      if (pin.untilMs > now) yield { name, untilMs: pin.untilMs, digests: [...pin.digests] };
    }
  }

  pin(name: string, digests: readonly Digest[], untilMs: number): Promise<void> {
    return this.#serial.run(() => this.#pin(name, digests, untilMs));
  }

  unpin(name: string): Promise<void> {
    return this.#serial.run(async () => {
      if (!this.#remove(name)) return;
      await this.#deps.syncer.sync(this.#deps.layout.pins);
    });
  }

  /** Removes the pins that have ended. */
  removeEnded(): Promise<void> {
    return this.#serial.run(async () => {
      const now = this.#deps.now();
      for (const [name, pin] of [...this.#pins]) {
        if (pin.untilMs > now) continue;
        this.#remove(name);
        this.#deps.telemetry.pinEnded(name);
      }
    });
  }

  async #pin(name: string, digests: readonly Digest[], untilMs: number): Promise<void> {
    checkPin(name, untilMs, this.#pins);
    const { index, layout, syncer } = this.#deps;
    const absent = digests.find((digest) => index.stat(digest) === undefined);
    if (absent !== undefined) throw new CodedError('NOT_FOUND', `Pin "${name}" names "${absent}", which is not here`);
    if ((this.#pins.get(name)?.untilMs ?? Infinity) <= this.#deps.now()) this.#remove(name);
    try {
      await this.#writeEnd(name, untilMs);
      for (const digest of digests) this.#link(name, digest);
      await syncer.sync(layout.pin(name));
      await syncer.sync(layout.pins);
    } catch (error) {
      throw fromErrno(error, `Pin "${name}" cannot be written`);
    }
  }

  /** The end is there before the first link, so that a kill between leaves a pin that ends by itself. */
  async #writeEnd(name: string, untilMs: number): Promise<void> {
    const { layout, trash } = this.#deps;
    const existing = this.#pins.get(name);
    if (existing !== undefined && existing.untilMs >= untilMs) return;
    mkdirSync(layout.pin(name), { recursive: true });
    const path = join(layout.pin(name), PIN_END_FILE);
    const content = new Date(untilMs).toISOString();
    await replaceFile({ path, aside: trash.freshPath(), content, sync: true });
    const pin = existing ?? { untilMs, digests: new Set<Digest>() };
    pin.untilMs = untilMs;
    this.#pins.set(name, pin);
    for (const digest of pin.digests) this.#index(name, digest, untilMs);
  }

  #link(name: string, digest: Digest): void {
    const pin = this.#pins.get(name);
    if (pin === undefined || pin.digests.has(digest)) return;
    this.#deps.blobs.linkTo(digest, this.#deps.layout.pinned(name, digest));
    pin.digests.add(digest);
    this.#index(name, digest, pin.untilMs);
  }

  #index(name: string, digest: Digest, untilMs: number): void {
    const stat = this.#deps.index.stat(digest);
    if (stat !== undefined) this.#deps.index.add(digest, { pin: name, untilMs }, stat);
  }

  /** The directory moves away in one step, then the index follows. False when there is no such pin. */
  #remove(name: string): boolean {
    const pin = this.#pins.get(name);
    if (pin === undefined) return false;
    this.#deps.trash.discard(this.#deps.layout.pin(name));
    this.#pins.delete(name);
    for (const digest of pin.digests) this.#deps.blobs.unlinkPin(digest, name);
    return true;
  }

  #loadLinks(
    directory: string,
    pin: { pin: string; untilMs: number },
    onLink: (path: string, digest: Digest, pin: { pin: string; untilMs: number }) => void,
  ): Set<Digest> {
    const digests = new Set<Digest>();
    for (const fileName of readdirSync(directory)) {
      const digest = digestOfHex(fileName);
      if (digest === undefined) continue;
      onLink(join(directory, fileName), digest, pin);
      digests.add(digest);
    }
    return digests;
  }
}

/** The limits that every implementation keeps. @throws CodedError INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
export function checkPin(name: string, untilMs: number, pins: ReadonlyMap<string, unknown>): void {
  if (name === '' || Buffer.byteLength(pinDirectoryName(name)) > PIN_NAME_BYTES_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `Pin name "${name.slice(0, 100)}" is empty or too long`);
  }
  if (!Number.isFinite(untilMs) || Math.abs(untilMs) > 8.64e15) {
    throw new CodedError('INVALID_ARGUMENT', `Pin "${name}" has no end that is a time: ${untilMs}`);
  }
  if (pins.size >= PINS_MAX && !pins.has(name)) {
    throw new CodedError('RESOURCE_EXHAUSTED', `Pin "${name}" refused: there are ${PINS_MAX} pins already`);
  }
}

function readEnd(path: string): number | undefined {
  try {
    const untilMs = Date.parse(readFileSync(path, 'utf8').trim());
    return Number.isNaN(untilMs) ? undefined : untilMs;
  } catch {
    return undefined;
  }
}
