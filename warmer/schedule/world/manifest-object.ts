/** A Kubernetes object as far as announcements need it. Pure. */
import type { SourceDocument } from '../../sources/documents.ts';
import { groupOf } from '../../sources/extract/kinds.ts';
import { field, isRecord, textField, textsField } from '../../sources/extract/values.ts';

export interface ManifestObject {
  readonly document: SourceDocument;
  readonly value: unknown;
  /** The API group without its version; "" is the core. */
  readonly group: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Read from a cluster, which gives every object a `uid`; otherwise it is what somebody wants to apply. */
  readonly isLive: boolean;
}

/** undefined for a document that is no Kubernetes object. */
export function manifestObject(document: SourceDocument): ManifestObject | undefined {
  const { value } = document;
  const kind = textField(value, 'kind');
  const apiVersion = textField(value, 'apiVersion');
  if (!isRecord(value) || kind === undefined || apiVersion === undefined) return undefined;
  return {
    document,
    value,
    group: groupOf(apiVersion),
    kind,
    namespace: textField(value, 'metadata', 'namespace'),
    name: textField(value, 'metadata', 'name') ?? textField(value, 'metadata', 'generateName') ?? '',
    annotations: textsField(value, 'metadata', 'annotations'),
    labels: textsField(value, 'metadata', 'labels'),
    isLive: field(value, 'metadata', 'uid') !== undefined,
  };
}
