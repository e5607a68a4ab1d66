/** Labels of blobs: one small JSON file each, all of them in memory. */
import { mkdirSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { type Digest, digestOfHex } from '../../core/oci/digest.ts';
import { CodedError, fromErrno } from '../../core/runtime/errors.ts';
import type { Layout } from './layout.ts';
import { replaceFile } from './small-file.ts';
import type { DirectorySyncer } from './sync-dir.ts';
import type { Trash } from './trash.ts';

/** Bytes of one blob's labels as JSON; containerd bounds one label at 4096. */
export const LABELS_BYTES_MAX = 256 * 1024;

const NONE: ReadonlyMap<string, string> = new Map();

export class LabelFiles {
  readonly #deps: { layout: Layout; syncer: DirectorySyncer; trash: Trash };
  readonly #labels = new Map<Digest, ReadonlyMap<string, string>>();

  constructor(deps: { layout: Layout; syncer: DirectorySyncer; trash: Trash }) {
    this.#deps = deps;
  }

  /** Reads every file of a blob that `isHere`; removes the others. */
  load(isHere: (digest: Digest) => boolean): void {
    const directory = this.#deps.layout.labels;
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) {
      const digest = digestOfHex(name);
      const labels = digest === undefined ? undefined : parseLabels(readFileSync(`${directory}/${name}`, 'utf8'));
      if (digest !== undefined && labels !== undefined && isHere(digest)) this.#labels.set(digest, labels);
      else this.#deps.trash.discard(`${directory}/${name}`);
    }
  }

  get(digest: Digest): ReadonlyMap<string, string> {
    return this.#labels.get(digest) ?? NONE;
  }

  async set(digest: Digest, labels: ReadonlyMap<string, string>): Promise<void> {
    const { layout, trash, syncer } = this.#deps;
    const content = JSON.stringify(Object.fromEntries(labels));
    if (Buffer.byteLength(content) > LABELS_BYTES_MAX) {
      throw new CodedError('INVALID_ARGUMENT', `Labels of "${digest}" take more than ${LABELS_BYTES_MAX} bytes`);
    }
    try {
      await replaceFile({ path: layout.label(digest), aside: trash.freshPath(), content, sync: true });
      this.#labels.set(digest, new Map(labels));
      await syncer.sync(layout.labels);
    } catch (error) {
      throw fromErrno(error, `Labels of "${digest}" cannot be written`);
    }
  }

  /** Absent labels are no error. */
  forget(digest: Digest): void {
    if (!this.#labels.delete(digest)) return;
    try {
      unlinkSync(this.#deps.layout.label(digest));
    } catch {
      // What stays on disk is removed at the next start, since its blob is gone by then.
    }
  }
}

function parseLabels(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const entries = Object.entries(parsed);
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
      ? new Map(entries)
      : undefined;
  } catch {
    return undefined;
  }
}
