/** Documents that are written out in a text of another one: patches, manifests in ConfigMaps. Pure. */
import type { SourceDocument, ValuePath } from '../documents.ts';
import { readYamlText } from '../yaml/yaml-text.ts';
import { documentOf } from '../yaml/positioned.ts';
import type { Collector } from './collector.ts';
import type { FoundObject } from './found-object.ts';
import { formatPath } from './path-pattern.ts';
import { isRecord } from './values.ts';

/** A text within a document, and how paths into it are told. */
export interface EmbeddedDocument {
  readonly document: SourceDocument;
  readonly pathPrefix: string;
}

/** The documents of a text at a place of an object; what cannot be read is noted. JSON is YAML too. */
export function embeddedDocuments(object: FoundObject, path: ValuePath, into: Collector): EmbeddedDocument[] {
  const text = textAt(object.value, path);
  if (text === undefined) return [];
  const { document } = object;
  const base = document.lineOf([...object.path, ...path]);
  // A block text starts in the line after its "|"; another is one line.
  const lineOf = (line: number) => (text.includes('\n') ? base + line : base);
  const pathPrefix = `${object.pathPrefix}${formatPath([...object.path, ...path])}!`;
  const found: EmbeddedDocument[] = [];
  for (const part of readYamlText(text, 'kubernetes')) {
    if (part.kind === 'broken') {
      into.note(object, path, { value: text, reason: `The text at ${pathPrefix} is ${reasonOf(part.reason)}` });
      continue;
    }
    const inner = documentOf(part.node, { file: document.file, document: document.document });
    found.push({ pathPrefix, document: shifted(inner, lineOf) });
  }
  return found;
}

/** A text that is a PodSpec, or a part of one: `podSpecPatch`. */
export function podInText(object: FoundObject, path: ValuePath, into: Collector): FoundObject[] {
  return embeddedDocuments(object, path, into).flatMap(({ document, pathPrefix }) => {
    const { value } = document;
    return isRecord(value) ? [{ ...object, document, path: [], pathPrefix, value }] : [];
  });
}

function shifted(document: SourceDocument, lineOf: (line: number) => number): SourceDocument {
  const { file, document: number, value } = document;
  return { file, document: number, value, lineOf: (path) => lineOf(document.lineOf(path)) };
}

function textAt(value: unknown, path: ValuePath): string | undefined {
  let at: unknown = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  return typeof at === 'string' ? at : undefined;
}

function reasonOf(reason: string): string {
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}
