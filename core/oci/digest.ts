/**
 * Content digests (OCI image-spec, descriptor.md "Digests"). Stored blobs are addressed by SHA-256 only, as in
 * containerd's own layout; other registered algorithms parse, so that references carrying them can be refused by name.
 */
import { createHash } from 'node:crypto';
import { CodedError } from '../runtime/errors.ts';

/** `sha256:` followed by 64 lower-case hexadecimal digits. Made only by the functions of this file. */
export type Digest = string & { readonly __brand: 'Digest' };

const SHA256 = /^sha256:[0-9a-f]{64}$/;

/** True when `text` is a digest that the store can hold. */
export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}

/**
 * Parses a digest that names a blob of ours.
 * @throws CodedError INVALID_ARGUMENT when it is not `sha256:<64 lower-case hex>`
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw new CodedError('INVALID_ARGUMENT', `Digest "${shown}" is not "sha256:" and 64 lower-case hexadecimal digits`);
}

/** The 64 hexadecimal digits: the blob's file name. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The digest of a file name made by `hexOf`; undefined when the name is not 64 lower-case hexadecimal digits. */
export function digestOfHex(hex: string): Digest | undefined {
  const text = `sha256:${hex}`;
  return isDigest(text) ? text : undefined;
}

/** The digest of bytes at hand. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}
