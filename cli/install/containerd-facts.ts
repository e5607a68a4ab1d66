/** What containerd's configuration says about content stores. Pure. */
import { join } from 'node:path';
import { type TomlEntry, type TomlTable, parseToml } from '../../core/runtime/config-toml.ts';

/** The built-in content store, as `disabled_plugins` names it in versions 2 and 3. */
export const BUILT_IN_CONTENT = 'io.containerd.content.v1.content';
/** The key below `proxy_plugins` that is ours. */
export const PLUGIN_NAME = 'shoal';
export const CONTAINERD_CONFIG = '/etc/containerd/config.toml';
export const CONTAINERD_ROOT = '/var/lib/containerd';
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

export interface ContentProxy {
  readonly name: string;
  readonly address: string;
}

export interface ContainerdFacts {
  /** undefined when the file does not say: containerd 1.x then reads it as version 1. */
  readonly version: number | undefined;
  readonly isEmpty: boolean;
  readonly root: string;
  /** containerd's own socket. */
  readonly address: string;
  readonly isBuiltInDisabled: boolean;
  readonly isBuiltInRequired: boolean;
  /** Proxy plugins of type content. */
  readonly contentProxies: readonly ContentProxy[];
  /** As written: absolute, or relative to the file's directory; `*` matches. */
  readonly imports: readonly string[];
  /** The metadata store's policy; undefined when not said (containerd's default is shared). */
  readonly sharingPolicy: string | undefined;
}

/** @throws CodedError INVALID_ARGUMENT naming file and line when `text` is not TOML */
export function containerdFacts(text: string, file: string): ContainerdFacts {
  const tree = parseToml(text, file);
  const proxies = at(tree, 'proxy_plugins');
  return {
    version: numberOf(at(tree, 'version')),
    isEmpty: tree.entries.size === 0,
    root: textOf(at(tree, 'root')) || CONTAINERD_ROOT,
    address: textOf(at(tree, 'grpc', 'address')) || CONTAINERD_SOCKET,
    isBuiltInDisabled: textsOf(at(tree, 'disabled_plugins')).includes(BUILT_IN_CONTENT),
    isBuiltInRequired: textsOf(at(tree, 'required_plugins')).includes(BUILT_IN_CONTENT),
    contentProxies: proxies?.kind === 'table' ? contentProxies(proxies) : [],
    imports: textsOf(at(tree, 'imports')),
    sharingPolicy: textOf(at(tree, 'plugins', 'io.containerd.metadata.v1.bolt', 'content_sharing_policy')),
  };
}

/** The directory of the built-in content store. */
export function builtInContentRoot(root: string): string {
  return join(root, BUILT_IN_CONTENT);
}

function contentProxies(table: TomlTable): ContentProxy[] {
  return [...table.entries].flatMap(([name, entry]) => {
    const isContent = textOf(at(entry, 'type')) === 'content';
    return isContent ? [{ name, address: textOf(at(entry, 'address')) ?? '' }] : [];
  });
}

function at(entry: TomlEntry | undefined, ...path: string[]): TomlEntry | undefined {
  return path.reduce<TomlEntry | undefined>(
    (found, name) => (found?.kind === 'table' ? found.entries.get(name) : undefined),
    entry,
  );
}

function textOf(entry: TomlEntry | undefined): string | undefined {
  return entry?.kind === 'string' ? entry.value : undefined;
}

function numberOf(entry: TomlEntry | undefined): number | undefined {
  return entry?.kind === 'integer' ? entry.value : undefined;
}

function textsOf(entry: TomlEntry | undefined): string[] {
  return entry?.kind === 'array' ? entry.items.flatMap((item) => textOf(item) ?? []) : [];
}
