/** Things with a kind, a namespace and a name, found by them. Pure. */

export interface Named {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** What is looked for. A namespace that either side leaves out is whatever the other says: it is given when applying. */
export interface Wanted {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

export class NamedIndex<T extends Named> {
  readonly #byName = new Map<string, T[]>();
  readonly #byNamespace = new Map<string, T[]>();

  constructor(things: Iterable<T>) {
    for (const thing of things) {
      push(this.#byName, `${thing.kind}/${thing.name ?? ''}`, thing);
      push(this.#byNamespace, thing.namespace ?? '', thing);
    }
  }

  /** Those of the very namespace; only when there are none, those where one side leaves it out. */
  find(wanted: Wanted): readonly T[] {
    const named = this.#byName.get(`${wanted.kind}/${wanted.name}`) ?? [];
    const exact = named.filter((thing) => thing.namespace === wanted.namespace);
    if (exact.length > 0) return exact;
    return named.filter((thing) => thing.namespace === undefined || wanted.namespace === undefined);
  }

  inNamespace(namespace: string | undefined): readonly T[] {
    return this.#byNamespace.get(namespace ?? '') ?? [];
  }

  namespaces(): string[] {
    return [...this.#byNamespace.keys()];
  }

  all(): T[] {
    return [...this.#byNamespace.values()].flat();
  }
}

function push<T>(map: Map<string, T[]>, key: string, thing: T): void {
  const things = map.get(key);
  if (things === undefined) map.set(key, [thing]);
  else things.push(thing);
}
