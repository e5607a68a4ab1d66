/**
 * What tags last pointed to, in a small file of `node.data_dir` that survives restarts. In memory it is a bounded map; the
 * file is written a moment after a change, whole, aside and renamed. A crash in that moment loses a hint, nothing else.
 */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDescriptor, isJsonObject } from '../core/oci/descriptor-json.ts';
import type { Descriptor } from '../core/oci/descriptor.ts';
import { isRepositoryName, isTag } from '../core/oci/reference.ts';
import type { Clock } from '../core/runtime/clock.ts';
import { errnoOf, messageOf } from '../core/runtime/errors.ts';
import type { Service } from '../core/runtime/lifecycle.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { DatedTag, TagMemory, TagName } from './mirror/mirror.ts';

/** Tags remembered, the longest unused forgotten first: more images than a node ever runs, some 3 MB of file. */
export const TAGS_MAX = 10_000;
/** A larger file is not ours. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Changes are gathered for so long before the file is written, milliseconds. */
export const WRITE_AFTER_MS = 1_000;
/** How exact the age of a tag is that stays the same, milliseconds. */
export const AGE_WRITTEN_MS = 60_000;
/** Registry and media type: no honest one is longer. */
const TEXT_MAX = 300;

export interface TagMemoryDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export interface TagMemoryOptions {
  /** Its folder is made when it is not there. */
  readonly file: string;
  /** Default `TAGS_MAX`. */
  readonly tagsMax?: number;
}

/** Reads its file when it starts and writes it when it stops; a file that cannot be read or written is told, and no reason to fail. */
export function createTagMemory(deps: TagMemoryDeps, options: TagMemoryOptions): TagMemory & Service {
  return new FileTagMemory(deps, options);
}

interface Entry {
  readonly name: TagName;
  readonly descriptor: Descriptor;
  /** When its registry said so, milliseconds of the wall clock: it outlives this process. */
  readonly atMs: number;
}

class FileTagMemory implements TagMemory, Service {
  readonly #deps: TagMemoryDeps;
  readonly #file: string;
  readonly #tagsMax: number;
  /** The longest unused first. */
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  #isDirty = false;
  #writing: Promise<void> | undefined;

  constructor(deps: TagMemoryDeps, { file, tagsMax = TAGS_MAX }: TagMemoryOptions) {
    this.#deps = deps;
    this.#file = file;
    this.#tagsMax = tagsMax;
  }

  async last(name: TagName): Promise<DatedTag | undefined> {
    const found = this.#entries.get(keyOf(name));
    return found && { descriptor: found.descriptor, ageMs: Math.max(0, this.#deps.clock.now() - found.atMs) };
  }

  remember(name: TagName, { mediaType, digest, size }: Descriptor): void {
    const key = keyOf(name);
    const known = this.#entries.get(key);
    const atMs = this.#deps.clock.now();
    const isSame = isDeepStrictEqual(known?.descriptor, { mediaType, digest, size });
    this.#entries.delete(key);
    // What the file has may be older than it need be, so that a tag that stays is not written at every pull.
    const isFresh = known !== undefined && isSame && atMs - known.atMs < AGE_WRITTEN_MS;
    this.#put({ name, descriptor: { mediaType, digest, size }, atMs: isFresh ? known.atMs : atMs });
    if (isFresh) return;
    this.#isDirty = true;
    this.#writing ??= this.#writeSoon().finally(() => {
      this.#writing = undefined;
    });
  }

  async start(): Promise<void> {
    const entries = await readEntries(this.#file).catch((error: unknown) => {
      this.#deps.log.warn({ file: this.#file, reason: messageOf(error) }, 'Remembered tags cannot be read');
      return [];
    });
    for (const entry of entries) if (!this.#entries.has(keyOf(entry.name))) this.#put(entry);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
    await this.#write();
  }

  #put(entry: Entry): void {
    this.#entries.set(keyOf(entry.name), entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#tagsMax && oldest !== undefined) this.#entries.delete(oldest);
  }

  async #writeSoon(): Promise<void> {
    await this.#deps.clock.sleep(WRITE_AFTER_MS, { signal: this.#stop.signal }).catch(() => undefined);
    await this.#write();
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    try {
      await replaceFile(this.#file, textOf(this.#entries.values()));
    } catch (error) {
      this.#isDirty = true;
      this.#deps.log.warn({ file: this.#file, reason: messageOf(error) }, 'Remembered tags cannot be written');
    }
  }
}

function keyOf({ registry, repository, tag }: TagName): string {
  return `${registry}/${repository}:${tag}`;
}

function textOf(entries: Iterable<Entry>): string {
  const tags = [...entries].map(({ name, descriptor, atMs }) => ({ ...name, descriptor, at_ms: Math.round(atMs) }));
  return `${JSON.stringify({ version: 1, tags })}\n`;
}

/** One bad entry is left out, not the whole file. */
async function readEntries(file: string): Promise<Entry[]> {
  const found = await stat(file).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return [];
  if (found.size > FILE_BYTES_MAX) throw new Error(`It has ${found.size} bytes, ${FILE_BYTES_MAX} at most`);
  const json: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (!isJsonObject(json) || json.version !== 1 || !Array.isArray(json.tags)) throw new Error('It is no list of tags');
  return json.tags.flatMap((value: unknown) => entryOf(value) ?? []);
}

function entryOf(value: unknown): Entry | undefined {
  if (!isJsonObject(value)) return undefined;
  const { registry, repository, tag, descriptor, at_ms: atMs = 0 } = value;
  if (typeof registry !== 'string' || registry.length > TEXT_MAX) return undefined;
  if (typeof repository !== 'string' || !isRepositoryName(repository)) return undefined;
  if (typeof tag !== 'string' || !isTag(tag) || !Number.isSafeInteger(atMs)) return undefined;
  try {
    const { mediaType, digest, size } = parseDescriptor(descriptor, '$.descriptor');
    return mediaType.length > TEXT_MAX
      ? undefined
      : { name: { registry, repository, tag }, descriptor: { mediaType, digest, size }, atMs: Number(atMs) };
  } catch {
    return undefined;
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const aside = `${file}.new`;
  await mkdir(dirname(file), { recursive: true });
  try {
    const handle = await open(aside, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
