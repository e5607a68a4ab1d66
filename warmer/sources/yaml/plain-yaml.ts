/**
 * A reader for YAML as machines and most people write it: block maps and lists, values on one line, literal blocks. It builds
 * no syntax tree, which is what the full parser spends its time on, and gives up at the first thing that it is not sure of, so that
 * the full parser decides; its tests compare the two. Pure.
 */
import type { PositionedNode, Scalar } from './positioned.ts';
import { keyText, resolvePlain, type YamlDialect } from './scalars.ts';

const DEPTH_MAX = 100;
/** Tabs, other breaks than a line feed, and what YAML does not allow. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const UNUSUAL = /[\t\r\u0085\u2028\u2029\uFEFF\uFFFE\uFFFF\0-\x08\x0b-\x1f\x7f]/;
/** A key, a colon, and what follows on the line. */
const KEY = /^(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9_./~$][A-Za-z0-9_./~$@+=-]*)):(?: +(.*)|)$/;
const DOUBLE_QUOTED = /^("(?:[^"\\]|\\["\\nt])*")(?: +#.*)?$/;
const SINGLE_QUOTED = /^'((?:[^']|'')*)'(?: +#.*)?$/;
const LITERAL = /^\|(-?)(?: +#.*)?$/;
const COMMENT = /^(?:#.*)?$/;
/** What a plain scalar never starts with, or what needs the full parser. */
const INDICATOR = /^[-?:](?: |$)|^[&*!|>%@`"'#,[\]{}]/;

/** Thrown and caught in here only: the text is not plain enough. */
class NotPlain extends Error {}

/** The value of one document; undefined when the full parser must read it. `line` is the 1-based line of its start. */
export function readPlainYaml(text: string, line: number, dialect: YamlDialect): PositionedNode | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    return new PlainReader(text, line, dialect).readDocument();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class PlainReader {
  readonly #lines: string[];
  readonly #firstLine: number;
  readonly #dialect: YamlDialect;
  readonly #endsWithBreak: boolean;
  #at = 0;

  constructor(text: string, line: number, dialect: YamlDialect) {
    this.#lines = text.split('\n');
    this.#endsWithBreak = text.endsWith('\n');
    this.#firstLine = line;
    this.#dialect = dialect;
  }

  readDocument(): PositionedNode {
    if (/^---(?: +(?:#.*)?)?$/.test(this.#lines[0] ?? '')) this.#at = 1;
    const indent = this.#nextIndent();
    if (indent === undefined) throw new NotPlain();
    const node = this.#readBlock(indent, 0);
    if (this.#nextIndent() !== undefined) throw new NotPlain();
    return node;
  }

  /** The indent of the next line that holds something, which becomes the current one; undefined at the end. */
  #nextIndent(): number | undefined {
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] ?? '';
      const indent = indentOf(line);
      if (indent < line.length && line[indent] !== '#') return indent;
    }
    return undefined;
  }

  #content(indent: number): string {
    return (this.#lines[this.#at] ?? '').slice(indent).trimEnd();
  }

  #readBlock(indent: number, depth: number): PositionedNode {
    if (depth > DEPTH_MAX) throw new NotPlain();
    const line = this.#firstLine + this.#at;
    if (isItem(this.#content(indent))) return { kind: 'list', line, items: this.#readItems(indent, depth) };
    return { kind: 'map', line, entries: this.#readEntries(indent, depth) };
  }

  #readEntries(indent: number, depth: number): Map<string, PositionedNode> {
    const entries = new Map<string, PositionedNode>();
    for (let next = this.#nextIndent(); next === indent; next = this.#nextIndent()) {
      const content = this.#content(indent);
      if (isItem(content)) break;
      const [, double, single, plain, rest = ''] = KEY.exec(content) ?? [];
      const key = double ?? single ?? (plain === undefined ? undefined : keyText(resolvePlain(plain, this.#dialect)));
      if (key === undefined) throw new NotPlain();
      entries.set(key, this.#readValue({ rest, indent, isInMap: true }, depth));
    }
    const next = this.#nextIndent() ?? -1;
    if (next > indent || (next === indent && entries.size === 0)) throw new NotPlain();
    return entries;
  }

  #readItems(indent: number, depth: number): PositionedNode[] {
    const items: PositionedNode[] = [];
    for (let next = this.#nextIndent(); next === indent; next = this.#nextIndent()) {
      const content = this.#content(indent);
      if (!isItem(content)) break;
      const rest = content.slice(1).trimStart();
      const inner = indent + content.length - rest.length;
      if (rest !== '' && (isItem(rest) || KEY.test(rest))) {
        // What stands after the dash is a block of its own, indented as far as it stands to the right.
        this.#lines[this.#at] = ' '.repeat(inner) + rest;
        items.push(this.#readBlock(inner, depth + 1));
      } else items.push(this.#readValue({ rest, indent, isInMap: false }, depth));
    }
    if ((this.#nextIndent() ?? -1) > indent) throw new NotPlain();
    return items;
  }

  /** What follows a key or a dash on its line, or else below it. */
  #readValue(value: { rest: string; indent: number; isInMap: boolean }, depth: number): PositionedNode {
    const { rest, indent, isInMap } = value;
    const line = this.#firstLine + this.#at;
    this.#at += 1;
    if (COMMENT.test(rest)) {
      const next = this.#nextIndent() ?? -1;
      const isListBelow = isInMap && next === indent && isItem(this.#content(indent));
      if (next > indent || isListBelow) return this.#readBlock(next, depth + 1);
      return { kind: 'scalar', line, value: null };
    }
    const literal = LITERAL.exec(rest);
    if (literal !== null) return { kind: 'scalar', line, value: this.#readLiteral(indent, literal[1] === '-') };
    const node = this.#readInline(rest, line);
    // A value that goes on in the next line.
    if ((this.#nextIndent() ?? -1) > indent) throw new NotPlain();
    return node;
  }

  #readInline(rest: string, line: number): PositionedNode {
    if (rest.startsWith('[') || rest.startsWith('{')) return jsonNode(flowJson(rest), line);
    return { kind: 'scalar', line, value: this.#readScalar(rest) };
  }

  #readScalar(rest: string): Scalar {
    const double = DOUBLE_QUOTED.exec(rest)?.[1];
    if (double !== undefined) return String(JSON.parse(double));
    const single = SINGLE_QUOTED.exec(rest)?.[1];
    if (single !== undefined) return single.replaceAll("''", "'");
    const text = rest.replace(/ +#.*$/, '');
    if (INDICATOR.test(text) || /:(?: |$)/.test(text)) throw new NotPlain();
    const value = resolvePlain(text, this.#dialect);
    if (typeof value === 'number' && !Number.isFinite(value)) throw new NotPlain();
    return value;
  }

  /** The lines of a literal block, whose indent is that of its first line. */
  #readLiteral(parentIndent: number, isStripped: boolean): string {
    const first = this.#lines[this.#at] ?? '';
    const indent = indentOf(first);
    if (indent <= parentIndent || indent === first.length) throw new NotPlain();
    const lines: string[] = [];
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] ?? '';
      const own = indentOf(line);
      if (own < indent && own < line.length) {
        if (own > parentIndent) throw new NotPlain();
        break;
      }
      lines.push(line.slice(indent));
    }
    if (this.#at >= this.#lines.length && !this.#endsWithBreak) throw new NotPlain();
    while (lines.at(-1) === '') lines.pop();
    return lines.join('\n') + (isStripped ? '' : '\n');
  }
}

function indentOf(line: string): number {
  let indent = 0;
  while (line.charCodeAt(indent) === 32) indent += 1;
  return indent;
}

function isItem(content: string): boolean {
  return content === '-' || content.startsWith('- ');
}

/** Flow style that is JSON as well; the rest of it is for the full parser. */
function flowJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/ +#[^"\]}]*$/, ''));
  } catch {
    throw new NotPlain();
  }
}

function jsonNode(value: unknown, line: number): PositionedNode {
  if (Array.isArray(value)) return { kind: 'list', line, items: value.map((item) => jsonNode(item, line)) };
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return { kind: 'scalar', line, value };
  if (typeof value === 'number') return { kind: 'scalar', line, value };
  if (typeof value !== 'object') throw new NotPlain();
  return {
    kind: 'map',
    line,
    entries: new Map(Object.entries(value).map(([key, child]) => [key, jsonNode(child, line)])),
  };
}
