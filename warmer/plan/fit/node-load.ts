/** What one node has to fetch, and what does not fit on it. */
import { BitSet } from '../bit-set.ts';
import type { PlanNode } from '../plan-input.ts';
import type { ImageTable, Portion } from './image-table.ts';

export interface NodeLoad {
  /** Numbers of images, the most urgent first. */
  readonly images: BitSet;
  readonly bytesMissing: number;
  /** Images that would not fit any more. */
  readonly refused: readonly { readonly image: number; readonly bytes: number }[];
}

/** Told about each image on each node, as it is weighed. */
export interface LoadWatcher {
  /** All blobs of the image are on the node already. */
  onHeld(image: number, node: number): void;
  /** `bytes` of the image are missing, whoever else on the node needs them too. */
  onMissing(image: number, node: number, bytes: number): void;
  onBlobHeld(blob: number): void;
  onBlobToMove(blob: number): void;
}

/** Weighs node after node; its memory is used again for each. */
export class NodeScale {
  readonly #table: ImageTable;
  readonly #watcher: LoadWatcher;
  /** By blob: the number of the node that has it, or is to get it, plus one. */
  readonly #present: Int32Array;
  /** By image: what was missing of it before anything was taken for the node. */
  readonly #missing: Float64Array;

  constructor(table: ImageTable, watcher: LoadWatcher) {
    this.#table = table;
    this.#watcher = watcher;
    this.#present = new Int32Array(table.blobCount);
    this.#missing = new Float64Array(table.images.length);
  }

  /** @param at `wanted`: numbers of images, the most urgent first; they get the room first */
  weigh(node: PlanNode, at: { index: number; wanted: BitSet; roomBytes: number }): NodeLoad {
    const portions = this.#table.portionsFor(node.platform);
    this.#markHeld(node, at.index);
    this.#watch(portions, at);
    const images = new BitSet(this.#table.images.length);
    const refused: { image: number; bytes: number }[] = [];
    let bytesMissing = 0;
    at.wanted.forEach((image) => {
      const blobs = portions[image]?.blobs ?? NONE;
      const bytes = this.#missingBytes(blobs, at.index);
      if (bytes > 0 && bytesMissing + bytes > at.roomBytes) {
        refused.push({ image, bytes: this.#missing[image] ?? 0 });
        return;
      }
      bytesMissing += bytes;
      this.#take(blobs, at.index);
      images.add(image);
    });
    return { images, bytesMissing, refused };
  }

  #markHeld(node: PlanNode, index: number): void {
    for (const digest of node.holds) {
      const blob = this.#table.blobOf(digest);
      if (blob === undefined) continue;
      this.#present[blob] = index + 1;
      this.#watcher.onBlobHeld(blob);
    }
  }

  /** Before anything is taken for the node: what it has already, wanted or not, since holders feed the others. */
  #watch(portions: readonly (Portion | undefined)[], { index, wanted }: { index: number; wanted: BitSet }): void {
    portions.forEach((portion, image) => {
      if (portion === undefined) return;
      if (this.#hasAll(portion.blobs, index)) {
        this.#missing[image] = 0;
        this.#watcher.onHeld(image, index);
      } else if (wanted.has(image)) {
        const bytes = this.#missingBytes(portion.blobs, index);
        this.#missing[image] = bytes;
        this.#watcher.onMissing(image, index, bytes);
      }
    });
  }

  /** Ends at the first one that is not there, which for most images of most nodes is the first. */
  #hasAll(blobs: Int32Array, index: number): boolean {
    for (const blob of blobs) if (this.#present[blob] !== index + 1) return false;
    return true;
  }

  #missingBytes(blobs: Int32Array, index: number): number {
    let bytes = 0;
    for (const blob of blobs) if (this.#present[blob] !== index + 1) bytes += this.#table.sizeOf(blob);
    return bytes;
  }

  #take(blobs: Int32Array, index: number): void {
    for (const blob of blobs) {
      if (this.#present[blob] === index + 1) continue;
      this.#present[blob] = index + 1;
      this.#watcher.onBlobToMove(blob);
    }
  }
}

const NONE = new Int32Array();
