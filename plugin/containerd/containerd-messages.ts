/** containerd's answers as typed values: read field by field here, trusted everywhere else. */
import { isDigest } from '../../core/oci/digest.ts';
import type { ContainerdContent, ContainerdImage } from './containerd.ts';

/** `VersionResponse.version`, as containerd's build wrote it. */
export function versionIn(response: object): string {
  return text(response, 'version');
}

/** The names in a `ListNamespacesResponse`. */
export function namespacesIn(response: object): string[] {
  return list(response, 'namespaces').map((namespace) => text(namespace, 'name'));
}

/** The records in a `ListContentResponse`; those with a digest that no store of ours can hold are left out. */
export function contentsIn(response: object): ContainerdContent[] {
  return list(response, 'info').flatMap((info) => contentOf(info) ?? []);
}

/** The record in an `InfoResponse`; undefined when its digest is none that a store of ours can hold. */
export function contentIn(response: object): ContainerdContent | undefined {
  const info = field(response, 'info');
  return isObject(info) ? contentOf(info) : undefined;
}

/** The images in a `ListImagesResponse`; those whose target is no SHA-256 are left out. */
export function imagesIn(response: object): ContainerdImage[] {
  return list(response, 'images').flatMap((image) => imageOf(image) ?? []);
}

function contentOf(info: object): ContainerdContent | undefined {
  const digest = text(info, 'digest');
  if (!isDigest(digest)) return undefined;
  return { digest, size: size(info), labels: labels(info) };
}

function imageOf(image: object): ContainerdImage | undefined {
  const target = field(image, 'target');
  if (!isObject(target)) return undefined;
  const digest = text(target, 'digest');
  if (!isDigest(digest)) return undefined;
  return { name: text(image, 'name'), target: { digest, mediaType: text(target, 'mediaType'), size: size(target) } };
}

function labels(info: object): ReadonlyMap<string, string> {
  const given = field(info, 'labels');
  if (!isObject(given)) return new Map();
  return new Map(Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function size(message: object): number {
  const value = field(message, 'size');
  return typeof value === 'number' && value >= 0 ? value : 0;
}

function text(message: object, name: string): string {
  const value = field(message, name);
  return typeof value === 'string' ? value : '';
}

function list(message: object, name: string): object[] {
  const value = field(message, name);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function field(message: object, name: string): unknown {
  return Object.entries(message).find(([key]) => key === name)?.[1];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
