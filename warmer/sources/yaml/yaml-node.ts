/**
 * One YAML document as positioned values: scalars with Kubernetes' (or compose's) meanings, anchors copied where they
 * are named, merge keys applied. Everything that can grow has a bound, because a few hundred bytes of anchors can stand
 * for billions of values ("billion laughs").
 */
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, Scalar as YamlScalar, type YAMLMap } from 'yaml';
import { PositionedError, type PositionedNode, type Scalar } from './positioned.ts';
import { keyText, resolvePlain, type YamlDialect } from './scalars.ts';

/** Values of one document, those behind aliases included: some 20,000 objects of a `List`. */
const VALUES_MAX = 2_000_000;
/** Of those, how many aliases may add. */
const ALIASED_VALUES_MAX = 100_000;
/** Kubernetes objects are some twenty levels deep. */
const DEPTH_MAX = 200;
const TAG_PREFIX = 'tag:yaml.org,2002:';

export interface YamlNodeOptions {
  readonly dialect: YamlDialect;
  /** The 1-based line of an offset. */
  lineAt(offset: number): number;
}

/** @throws PositionedError for what Kubernetes' tools refuse as well, and beyond the bounds */
export function yamlNode(root: ParsedNode | null, options: YamlNodeOptions): PositionedNode {
  return new NodeReader(options).read(root, { line: 1, depth: 0 });
}

interface Place {
  /** Of what stands around a node that has no position of its own. */
  readonly line: number;
  readonly depth: number;
}

class NodeReader {
  readonly #options: YamlNodeOptions;
  readonly #anchors = new Map<string, ParsedNode>();
  /** Anchors whose values are being read: one that names itself has no end. */
  readonly #open = new Set<string>();
  #values = 0;
  /** How many aliases one is in. */
  #aliasDepth = 0;
  #aliasedValues = 0;

  constructor(options: YamlNodeOptions) {
    this.#options = options;
  }

  read(node: ParsedNode | null, place: Place): PositionedNode {
    if (node === null) return { kind: 'scalar', line: place.line, value: null };
    const line = this.#options.lineAt(node.range[0]);
    this.#count(line, place.depth);
    if (isAlias(node)) return this.#readAlias(node.source, { line, depth: place.depth });
    const { anchor } = node;
    if (anchor === undefined) return this.#readValue(node, { line, depth: place.depth });
    this.#anchors.set(anchor, node);
    return this.#within(anchor, () => this.#readValue(node, { line, depth: place.depth }));
  }

  #readValue(node: ParsedNode, place: Place): PositionedNode {
    const { line, depth } = place;
    const inner = { line, depth: depth + 1 };
    if (isScalar(node)) return { kind: 'scalar', line, value: this.#scalar(node, line) };
    if (isSeq(node)) return { kind: 'list', line, items: node.items.map((item) => this.read(item, inner)) };
    if (isMap(node)) return { kind: 'map', line, entries: this.#entries(node, inner) };
    throw new PositionedError('A node of YAML that is neither map, list nor scalar', line);
  }

  /** Copied, not shared: whoever reads the document sees a tree. */
  #readAlias(name: string, place: Place): PositionedNode {
    const target = this.#anchors.get(name);
    if (target === undefined) throw new PositionedError(`Unknown anchor "${name}"`, place.line);
    if (this.#open.has(name)) throw new PositionedError(`Anchor "${name}" contains itself`, place.line);
    this.#aliasDepth += 1;
    const inner = { line: this.#options.lineAt(target.range[0]), depth: place.depth };
    const node = this.#within(name, () => this.#readValue(target, inner));
    this.#aliasDepth -= 1;
    return node;
  }

  #entries(map: YAMLMap.Parsed, place: Place): Map<string, PositionedNode> {
    const entries = new Map<string, PositionedNode>();
    for (const { key, value } of map.items) {
      const line = key === null ? place.line : this.#options.lineAt(key.range[0]);
      const at = { line, depth: place.depth };
      if (isMergeKey(key)) this.#merge(entries, this.read(value, at));
      else entries.set(this.#key(key, at), this.read(value, at));
    }
    return entries;
  }

  /** go-yaml 2 applies merges where they stand, so that they win over keys before them; version 3 never overrides. */
  #merge(entries: Map<string, PositionedNode>, value: PositionedNode): void {
    const maps = value.kind === 'list' ? value.items.toReversed() : [value];
    const merged = new Map<string, PositionedNode>();
    for (const map of maps) {
      if (map.kind !== 'map') throw new PositionedError('A merge key "<<" needs a map, or a list of maps', map.line);
      for (const [key, child] of map.entries) merged.set(key, child);
    }
    for (const [key, child] of merged) {
      if (this.#options.dialect === 'kubernetes' || !entries.has(key)) entries.set(key, child);
    }
  }

  #key(key: ParsedNode | null, place: Place): string {
    const node = this.read(key, place);
    const text = node.kind === 'scalar' ? keyText(node.value) : undefined;
    if (text === undefined) throw new PositionedError('A key of a map is neither text, number nor boolean', place.line);
    return text;
  }

  #scalar(node: YamlScalar.Parsed, line: number): Scalar {
    // The failsafe schema leaves every scalar a text.
    const text = typeof node.value === 'string' ? node.value : '';
    const isPlain = node.type === YamlScalar.PLAIN;
    const plain = () => resolvePlain(text, this.#options.dialect);
    const value = node.tag === undefined ? (isPlain ? plain() : text) : taggedScalar(node.tag, text, { plain, line });
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new PositionedError(`"${text}" has no meaning in Kubernetes: JSON has no such number`, line);
    }
    return value;
  }

  #within<T>(anchor: string, read: () => T): T {
    this.#open.add(anchor);
    try {
      return read();
    } finally {
      this.#open.delete(anchor);
    }
  }

  #count(line: number, depth: number): void {
    this.#values += 1;
    if (depth > DEPTH_MAX) throw new PositionedError(`Nested deeper than ${DEPTH_MAX} levels`, line);
    if (this.#values > VALUES_MAX) throw new PositionedError(`More than ${VALUES_MAX} values`, line);
    if (this.#aliasDepth > 0) this.#aliasedValues += 1;
    if (this.#aliasedValues > ALIASED_VALUES_MAX) {
      throw new PositionedError(`Aliases stand for more than ${ALIASED_VALUES_MAX} values`, line);
    }
  }
}

/** Only plain: a quoted "<<" is a key like any other. */
function isMergeKey(key: ParsedNode | null): boolean {
  return isScalar(key) && key.value === '<<' && key.type === YamlScalar.PLAIN;
}

/** An explicit tag: of YAML's own, or one that nobody knows, which makes the scalar a text. */
function taggedScalar(tag: string, text: string, { plain, line }: { plain: () => Scalar; line: number }): Scalar {
  const name = tag.startsWith(TAG_PREFIX) ? tag.slice(TAG_PREFIX.length) : '';
  if (name === 'binary') return decodeBinary(text, line);
  const wanted = SCALAR_TAGS.get(name);
  if (wanted === undefined) return text;
  const value = plain();
  if (!wanted(value)) throw new PositionedError(`"${text.slice(0, 100)}" is not of the type that its tag says`, line);
  return value;
}

const SCALAR_TAGS: ReadonlyMap<string, (value: Scalar) => boolean> = new Map([
  ['int', (value) => Number.isInteger(value)],
  ['float', (value) => typeof value === 'number'],
  ['bool', (value) => typeof value === 'boolean'],
  ['null', (value) => value === null],
]);

function decodeBinary(text: string, line: number): string {
  const base64 = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw new PositionedError('A binary value is not base64', line);
  return Buffer.from(base64, 'base64').toString('utf8');
}
