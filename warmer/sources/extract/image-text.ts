/** Whether a text names an image, and if not, why. Pure. */
import { formatReference, parseReference } from '../../../core/oci/reference.ts';
import { messageOf } from '../../../core/runtime/errors.ts';

export type ImageText =
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'unresolved'; readonly reason: string };

/** What is filled in by somebody else before it reaches a node, and by whom. */
const PLACEHOLDERS: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /\{\{/, reason: 'holds a template placeholder "{{ }}"; render it first' },
  { pattern: /\$\{/, reason: 'holds a placeholder in "$" and braces, which is filled in elsewhere' },
  { pattern: /\$\(/, reason: 'holds a placeholder "$( )", which is filled in when it runs' },
  { pattern: /\$[A-Za-z_]/, reason: 'holds a variable "$…", which is filled in elsewhere' },
  { pattern: /<[^<>]*>/, reason: 'holds a placeholder "<…>", which is filled in by hand' },
  { pattern: /^auto$/, reason: 'is "auto": the service mesh fills it in when the pod is made' },
  { pattern: /^[a-z][a-z+-]*:\/\//, reason: 'names no image of a registry' },
];

/** A text that stands where an image is named. */
export function readImageText(text: string): ImageText {
  if (text.trim() === '') return { kind: 'unresolved', reason: 'Image is empty' };
  const placeholder = PLACEHOLDERS.find(({ pattern }) => pattern.test(text));
  if (placeholder !== undefined) return { kind: 'unresolved', reason: `Image ${placeholder.reason}` };
  try {
    return { kind: 'image', reference: formatReference(parseReference(text)) };
  } catch (error) {
    return { kind: 'unresolved', reason: messageOf(error) };
  }
}

/** True for a text that is written as a whole image is: with a registry or repository path, and a tag or digest. */
export function isWholeImage(text: string): boolean {
  return /^[^\s:/]+(?:[:/][^\s]*)?[/:@][^\s]+$/.test(text) && readImageText(text).kind === 'image';
}
