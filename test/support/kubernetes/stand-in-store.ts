/** The objects of a stand-in for an API server, with versions, pages and a history that can be forgotten. Knows no HTTP. */

export interface Stored {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

export interface StoredEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `/apis/apps/v1/deployments`: without the namespace. */
  readonly list: string;
  readonly object: Stored;
}

export interface Page {
  readonly items: readonly Stored[];
  readonly version: number;
  /** undefined: it was the last one. */
  readonly next: string | undefined;
}

/** A version or a token that is too old. */
export class Expired extends Error {}

export class StandInStore {
  readonly #lists = new Map<string, Map<string, Stored>>();
  readonly #events: StoredEvent[] = [];
  readonly #watchers = new Set<(event: StoredEvent) => void>();
  #version = 1;
  #oldest = 0;

  get version(): number {
    return this.#version;
  }

  hasList(list: string): boolean {
    return this.#lists.has(list);
  }

  /** Makes a list known, so that it is served though it is empty. */
  addList(list: string): void {
    if (!this.#lists.has(list)) this.#lists.set(list, new Map());
  }

  set(list: string, object: Stored): Stored {
    this.addList(list);
    const [key, objects] = [keyOf(object), this.#objectsOf(list)];
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    objects.set(key, stored);
    this.#tell({ version: this.#version, type, list, object: stored });
    return stored;
  }

  get(list: string, name: { namespace: string | undefined; name: string }): Stored | undefined {
    return this.#objectsOf(list).get(`${name.namespace ?? ''}/${name.name}`);
  }

  delete(list: string, name: { namespace: string | undefined; name: string }): void {
    const object = this.get(list, name);
    if (object === undefined) return;
    this.#objectsOf(list).delete(keyOf(object));
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#tell({ version: this.#version, type: 'DELETED', list, object: { ...object, metadata } });
  }

  /** Forgets what was before now: tokens and versions of then are expired. */
  compact(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    this.#events.length = 0;
  }

  /** @throws Expired */
  page(list: string, options: { namespace?: string | undefined; limit: number; token: string | undefined }): Page {
    const [from, version] = (options.token ?? `0@${this.#version}`).split('@').map(Number);
    if ((version ?? 0) < this.#oldest) throw new Expired();
    const all = [...this.#objectsOf(list).values()].filter((object) => isIn(object, options.namespace));
    const [start, end] = [from ?? 0, (from ?? 0) + options.limit];
    const items = all.slice(start, end);
    return { items, version: version ?? 0, next: end < all.length ? `${end}@${version}` : undefined };
  }

  /** Events after a version, now and later. @returns what ends it @throws Expired */
  watch(
    options: { list: string; namespace: string | undefined; version: number },
    onEvent: (event: StoredEvent) => void,
  ): () => void {
    if (options.version < this.#oldest) throw new Expired();
    const watcher = (event: StoredEvent) => {
      if (event.list === options.list && isIn(event.object, options.namespace)) onEvent(event);
    };
    for (const event of this.#events) if (event.version > options.version) watcher(event);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(event: StoredEvent): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) watcher(event);
  }

  #objectsOf(list: string): Map<string, Stored> {
    return this.#lists.get(list) ?? new Map();
  }
}

function keyOf({ metadata }: Stored): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function isIn({ metadata }: Stored, namespace: string | undefined): boolean {
  return namespace === undefined || metadata.namespace === namespace;
}
