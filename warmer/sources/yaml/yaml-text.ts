/** A stream of YAML documents. Each is read by itself, so that a broken one costs itself alone. Pure. */
import { Composer, type Document, LineCounter, type ParsedNode, Parser } from 'yaml';
import { messageOf } from '../../../core/runtime/errors.ts';
import { formatBytes } from '../../../core/runtime/units.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { PositionedError, type PositionedNode } from './positioned.ts';
import type { YamlDialect } from './scalars.ts';
import { type DocumentText, splitDocuments } from './split-documents.ts';
import { yamlNode } from './yaml-node.ts';

/** For the full parser, which needs some hundred times that in memory. An object in etcd has 1.5 MiB at most. */
export const YAML_DOCUMENT_LENGTH_MAX = 4 * 1024 * 1024;

/** Texts only: what they mean is decided by `scalars.ts`. */
const COMPOSE_OPTIONS = {
  schema: 'failsafe',
  resolveKnownTags: false,
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/** What stands in a file at one place in its order: a document, or what is wrong with it. */
export type TextPart =
  | { readonly kind: 'node'; readonly document: number; readonly node: PositionedNode }
  | { readonly kind: 'broken'; readonly document: number; readonly line: number; readonly reason: string };

/** The documents of a text that are not empty, in order. Never throws for what stands in the text. */
export function* readYamlText(text: string, dialect: YamlDialect): Generator<TextPart> {
  let document = 0;
  for (const part of splitDocuments(text)) {
    const node = readPlainYaml(part.text, part.line, dialect);
    const found =
      node === undefined
        ? readFully(part, dialect, document + 1)
        : [{ kind: 'node', document: document + 1, node } as const];
    for (const one of found) {
      document = one.document;
      if (one.kind === 'broken' || !isEmpty(one.node)) yield one;
    }
  }
}

/** A document may end by "..." and another follow in the same part. */
export function readFully(part: DocumentText, dialect: YamlDialect, first: number): TextPart[] {
  if (isTooLong(part)) return [tooLong(part, first)];
  const lines = new LineCounter();
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer<ParsedNode>(COMPOSE_OPTIONS);
  const lineAt = (offset: number) => part.line - 1 + Math.max(1, lines.linePos(offset).line);
  const parts: TextPart[] = [];
  try {
    for (const document of composer.compose(parser.parse(part.text))) {
      parts.push(partOf(document, { number: first + parts.length, dialect, lineAt }));
    }
  } catch (error) {
    parts.push(broken(error, { number: first + parts.length, line: part.line }));
  }
  return parts;
}

interface PartContext {
  readonly number: number;
  readonly dialect: YamlDialect;
  lineAt(offset: number): number;
}

function partOf(document: Document.Parsed<ParsedNode>, { number, dialect, lineAt }: PartContext): TextPart {
  const [error] = document.errors;
  const line = lineAt(error?.pos[0] ?? document.range[0]);
  // A document with errors also has values, but wrong ones: templates of Helm parse as maps of maps.
  if (error !== undefined) return { kind: 'broken', document: number, line, reason: notYaml(error.message) };
  try {
    return { kind: 'node', document: number, node: yamlNode(document.contents, { dialect, lineAt }) };
  } catch (cause) {
    return broken(cause, { number, line });
  }
}

function broken(error: unknown, { number, line }: { number: number; line: number }): TextPart {
  const at = error instanceof PositionedError ? error.line : line;
  return { kind: 'broken', document: number, line: at, reason: notYaml(messageOf(error)) };
}

function notYaml(message: string): string {
  // The parser goes down by calling itself; what is nested deeper than its stack is deeper than our bound as well.
  const reason = /call stack/i.test(message) ? 'nested too deeply' : message.split('\n')[0];
  return `Not read as YAML: ${reason?.slice(0, 300)}`;
}

function isTooLong({ text }: DocumentText): boolean {
  return text.length > YAML_DOCUMENT_LENGTH_MAX;
}

function tooLong({ text, line }: DocumentText, document: number): TextPart {
  const most = formatBytes(YAML_DOCUMENT_LENGTH_MAX);
  const reason = `Not read as YAML: the document has ${formatBytes(text.length)}, at most ${most} unless it is plain; JSON may be larger`;
  return { kind: 'broken', document, line, reason };
}

function isEmpty(node: PositionedNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}
