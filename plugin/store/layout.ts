/**
 * Where everything lies below the store's root. `blobs/` and `ingest/` are containerd's own layout (containerd
 * `plugins/content/local/store.go`); everything of ours is below `shoal/`, which the built-in store never walks.
 */
import { join } from 'node:path';
import { type Digest, digestOf, hexOf } from '../../core/oci/digest.ts';

/** Every path of one store. Pure: makes names, touches no file. */
export class Layout {
  readonly root: string;
  readonly blobs: string;
  readonly ingests: string;
  readonly ours: string;
  readonly cache: string;
  readonly pins: string;
  readonly partials: string;
  readonly claims: string;
  readonly labels: string;
  /** What is being removed or not yet whole; emptied at every start. */
  readonly trash: string;
  readonly lock: string;

  constructor(root: string) {
    this.root = root;
    this.blobs = join(root, 'blobs', 'sha256');
    this.ingests = join(root, 'ingest');
    this.ours = join(root, 'shoal');
    this.cache = join(this.ours, 'cache');
    this.pins = join(this.ours, 'pins');
    this.partials = join(this.ours, 'partial');
    this.claims = join(this.ours, 'claims');
    this.labels = join(this.ours, 'labels');
    this.trash = join(this.ours, 'trash');
    this.lock = join(this.ours, 'lock');
  }

  /** Every directory that must exist, parents first. */
  directories(): string[] {
    return [this.blobs, this.ingests, this.cache, this.pins, this.partials, this.claims, this.labels, this.trash];
  }

  /** The directory of a hold that has one directory for all its blobs. */
  holdDirectory(hold: 'containerd' | 'cache'): string {
    return hold === 'containerd' ? this.blobs : this.cache;
  }

  held(hold: 'containerd' | 'cache', digest: Digest): string {
    return join(this.holdDirectory(hold), hexOf(digest));
  }

  /** containerd names an ingest's directory after the SHA-256 of its ref, so no ref can leave `ingest/`. */
  ingest(ref: string): string {
    return join(this.ingests, hexOf(digestOf(ref)));
  }

  pin(name: string): string {
    return join(this.pins, pinDirectoryName(name));
  }

  pinned(name: string, digest: Digest): string {
    return join(this.pin(name), hexOf(digest));
  }

  partial(digest: Digest): string {
    return join(this.partials, hexOf(digest));
  }

  claim(digest: Digest): string {
    return join(this.claims, hexOf(digest));
  }

  label(digest: Digest): string {
    return join(this.labels, hexOf(digest));
  }
}

/** A pin's name as one file name: percent-encoded, with a leading dot encoded as well. */
export function pinDirectoryName(name: string): string {
  return encodeURIComponent(name).replace(/^\./, '%2E');
}

/** The pin that a directory belongs to; undefined when `pinDirectoryName` did not make it. */
export function pinNameOf(directoryName: string): string | undefined {
  try {
    const name = decodeURIComponent(directoryName);
    return pinDirectoryName(name) === directoryName ? name : undefined;
  } catch {
    return undefined;
  }
}
