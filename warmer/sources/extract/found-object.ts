/** An object inside a document: most often the whole of it, sometimes one within another. Pure. */
import type { SourceDocument, ValuePath } from '../documents.ts';
import { isRecord, type PlainRecord, textField } from './values.ts';

export interface FoundObject {
  readonly document: SourceDocument;
  /** Where it stands in its document. */
  readonly path: ValuePath;
  /** Of an object that is written out in a text: the path of that text, with `!` after it. */
  readonly pathPrefix: string;
  readonly value: PlainRecord;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** The object at a path, if it says what it is. */
export function objectAt(
  document: SourceDocument,
  value: unknown,
  { path = [], pathPrefix = '', around }: { path?: ValuePath; pathPrefix?: string; around?: FoundObject } = {},
): FoundObject | undefined {
  const apiVersion = textField(value, 'apiVersion');
  const kind = textField(value, 'kind');
  if (!isRecord(value) || apiVersion === undefined || kind === undefined) return undefined;
  return {
    ...{ document, path, pathPrefix, value, apiVersion, kind },
    namespace: textField(value, 'metadata', 'namespace') ?? around?.namespace,
    name: textField(value, 'metadata', 'name') ?? textField(value, 'metadata', 'generateName') ?? around?.name,
  };
}

/** What stands in for an object where a document does not say what it is. */
export function namelessObject(document: SourceDocument): FoundObject | undefined {
  const { value } = document;
  if (!isRecord(value)) return undefined;
  const [apiVersion = '', kind = ''] = [textField(value, 'apiVersion'), textField(value, 'kind')];
  const name = textField(value, 'metadata', 'name') ?? textField(value, 'name');
  const namespace = textField(value, 'metadata', 'namespace');
  return { document, path: [], pathPrefix: '', value, apiVersion, kind, name, namespace };
}
