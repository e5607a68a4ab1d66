/** The documents of a text, YAML or JSON, with the items of lists as documents of their own. Pure. */
import { messageOf } from '../../core/runtime/errors.ts';
import type { SourceDocument } from './documents.ts';
import { looksLikeJson, readJsonText } from './json/json-text.ts';
import { flattenLists } from './lists.ts';
import { clipped, type Unresolved } from './unresolved.ts';
import { documentOf, PositionedError } from './yaml/positioned.ts';
import type { YamlDialect } from './yaml/scalars.ts';
import { readYamlText, type TextPart } from './yaml/yaml-text.ts';

export type TextItem =
  | { readonly kind: 'document'; readonly document: SourceDocument }
  | { readonly kind: 'unresolved'; readonly unresolved: Unresolved };

/** What stands in a text, in order. A broken document costs that document, and is told with its place. */
export function* textDocuments(text: string, file: string, dialect: YamlDialect = 'kubernetes'): Generator<TextItem> {
  for (const part of partsOf(text, dialect)) {
    if (part.kind === 'broken') {
      const { document, line, reason } = part;
      yield { kind: 'unresolved', unresolved: { file, line, document, value: clipped(lineIn(text, line)), reason } };
      continue;
    }
    for (const node of flattenLists(part.node)) {
      yield { kind: 'document', document: documentOf(node, { file, document: part.document }) };
    }
  }
}

function* partsOf(text: string, dialect: YamlDialect): Generator<TextPart> {
  if (!looksLikeJson(text)) return yield* readYamlText(text, dialect);
  let document = 0;
  try {
    for (const node of readJsonText(text)) {
      document += 1;
      yield { kind: 'node', document, node };
    }
  } catch (error) {
    if (!(error instanceof PositionedError)) throw error;
    // What starts like JSON may be YAML in its flow style.
    if (document === 0 && !startsLikeStrictJson(text)) return yield* readYamlText(text, dialect);
    yield { kind: 'broken', document: document + 1, line: error.line, reason: messageOf(error) };
  }
}

function startsLikeStrictJson(text: string): boolean {
  return /^\s*(?:\{\s*"|\[\s*[{["])/.test(text.slice(0, 4096));
}

function lineIn(text: string, line: number): string {
  let from = 0;
  for (let at = 1; at < line; at += 1) from = text.indexOf('\n', from) + 1;
  const end = text.indexOf('\n', from);
  return text.slice(from, end < 0 ? undefined : end);
}
