/** Descriptors as JSON (OCI image-spec descriptor.md): the one place where unchecked JSON becomes typed. */
import { CodedError } from '../runtime/errors.ts';
import type { Descriptor, Platform } from './descriptor.ts';
import { isDigest } from './digest.ts';

/** A JSON object whose values are not yet known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for JSON objects: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses UTF-8 JSON that must be an object. `what` names it in messages.
 * @throws CodedError INVALID_ARGUMENT
 */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', `${what} is not JSON in UTF-8`, { cause: error });
  }
  if (!isJsonObject(value)) throw new CodedError('INVALID_ARGUMENT', `${what} is JSON, but not an object`);
  return value;
}

/**
 * Checks one descriptor. `path` is its place (`$.layers[2]`) and starts every message.
 * @throws CodedError INVALID_ARGUMENT
 */
export function parseDescriptor(value: unknown, path: string): Descriptor {
  if (!isJsonObject(value)) throw wrong(path, value, 'a descriptor');
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== 'string' || mediaType === '') throw wrong(`${path}.mediaType`, mediaType, 'a media type');
  if (typeof digest !== 'string' || !isDigest(digest)) throw wrong(`${path}.digest`, digest, 'a SHA-256 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw wrong(`${path}.size`, size, 'an integer from 0 to 2^53 − 1');
  }
  return {
    mediaType,
    digest,
    size,
    ...optionalStrings(value, 'urls', path),
    ...optionalTexts(value, 'annotations', path),
    ...optionalPlatform(value, path),
    ...optionalString(value, 'artifactType', path),
  };
}

/** `{ [key]: text }` when the object has it; nothing when it is absent or null. */
export function optionalString<K extends string>(json: JsonObject, key: K, path: string): { [P in K]?: string } {
  const value = json[key];
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') throw wrong(`${path}.${key}`, value, 'a text');
  return { [key]: value } as { [P in K]?: string };
}

function optionalPlatform(json: JsonObject, path: string): { platform?: Platform } {
  const at = `${path}.platform`;
  const value = json.platform;
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw wrong(at, value, 'a platform');
  const { os = '' } = optionalString(value, 'os', at);
  const { architecture = '' } = optionalString(value, 'architecture', at);
  const { 'os.version': osVersion } = optionalString(value, 'os.version', at);
  const { 'os.features': osFeatures } = optionalStrings(value, 'os.features', at);
  return {
    platform: {
      os,
      architecture,
      ...optionalString(value, 'variant', at),
      ...(osVersion === undefined ? {} : { osVersion }),
      ...(osFeatures === undefined ? {} : { osFeatures }),
    },
  };
}

function optionalStrings<K extends string>(json: JsonObject, key: K, path: string): { [P in K]?: string[] } {
  const value = json[key];
  if (value === undefined || value === null) return {};
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw wrong(`${path}.${key}`, value, 'a list of texts');
  }
  return { [key]: value } as { [P in K]?: string[] };
}

function optionalTexts<K extends string>(
  json: JsonObject,
  key: K,
  path: string,
): { [P in K]?: Record<string, string> } {
  const value = json[key];
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value) || !Object.values(value).every((entry) => typeof entry === 'string')) {
    throw wrong(`${path}.${key}`, value, 'an object of texts');
  }
  return { [key]: value } as { [P in K]?: Record<string, string> };
}

function wrong(path: string, value: unknown, wanted: string): CodedError {
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new CodedError('INVALID_ARGUMENT', `${path} is ${shown}, want ${wanted}`);
}
