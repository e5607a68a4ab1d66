/** containerd's config.toml for one test node. Pure: options in, text out. Version 2 for 1.x, version 3 for 2.x. */
import { join } from 'node:path';
import type { ContainerdVersion } from './versions.ts';

export interface ContainerdSettings {
  version: ContainerdVersion;
  /** Absolute; `root`, `state` and the sockets lie below it. */
  directory: string;
  snapshotter: string;
  /** A content store to use in place of the built-in one, by the path of its unix socket. */
  plugin?: { address: string };
  /** Serve CRI (the kubelet's API) too. */
  cri?: boolean;
  contentSharing?: 'shared' | 'isolated';
  /** CRI only: drop layers once they are unpacked. */
  discardUnpackedLayers?: boolean;
  /** CRI only: a directory of `<host>/hosts.toml`. Without it containerd asks each registry itself. */
  registryConfigPath?: string;
}

/** The node's unix socket. */
export function socketOf(directory: string): string {
  return join(directory, 'c.sock');
}

const CRI_OF_1X = 'io.containerd.grpc.v1.cri';
const CRI_IMAGES_OF_2X = 'io.containerd.cri.v1.images';

/** The whole file. Strings are written as JSON, which for paths and names is TOML as well. */
export function containerdConfig(settings: ContainerdSettings): string {
  const socket = socketOf(settings.directory);
  const text = JSON.stringify;
  return [
    `version = ${isTwo(settings) ? 3 : 2}`,
    `root = ${text(join(settings.directory, 'root'))}`,
    `state = ${text(join(settings.directory, 'state'))}`,
    `disabled_plugins = ${text(disabledPlugins(settings))}`,
    '',
    '[grpc]',
    `address = ${text(socket)}`,
    '',
    '[ttrpc]',
    `address = ${text(`${socket}.ttrpc`)}`,
    ...pluginLines(settings),
    ...sharingLines(settings),
    ...criLines(settings),
    '',
  ].join('\n');
}

function isTwo(settings: ContainerdSettings): boolean {
  return settings.version.startsWith('2.');
}

function disabledPlugins(settings: ContainerdSettings): string[] {
  const unused = isTwo(settings)
    ? [CRI_IMAGES_OF_2X, 'io.containerd.cri.v1.runtime', CRI_OF_1X, 'io.containerd.podsandbox.controller.v1.podsandbox']
    : [CRI_OF_1X];
  return [
    // Asks for a configured thin pool at every start and would only add noise to the log.
    'io.containerd.snapshotter.v1.devmapper',
    ...(settings.plugin ? ['io.containerd.content.v1.content'] : []),
    ...(settings.cri ? [] : unused),
  ];
}

function pluginLines(settings: ContainerdSettings): string[] {
  if (!settings.plugin) return [];
  return ['', '[proxy_plugins.shoal]', 'type = "content"', `address = ${JSON.stringify(settings.plugin.address)}`];
}

function sharingLines(settings: ContainerdSettings): string[] {
  if (settings.contentSharing === undefined) return [];
  return ['', '[plugins."io.containerd.metadata.v1.bolt"]', `content_sharing_policy = "${settings.contentSharing}"`];
}

function criLines(settings: ContainerdSettings): string[] {
  if (!settings.cri) return [];
  const root = isTwo(settings) ? CRI_IMAGES_OF_2X : CRI_OF_1X;
  const images = isTwo(settings) ? `[plugins."${root}"]` : `[plugins."${root}".containerd]`;
  const registry = settings.registryConfigPath;
  return [
    '',
    images,
    `snapshotter = ${JSON.stringify(settings.snapshotter)}`,
    `discard_unpacked_layers = ${settings.discardUnpackedLayers ?? false}`,
    ...(registry === undefined
      ? []
      : ['', `[plugins."${root}".registry]`, `config_path = ${JSON.stringify(registry)}`]),
  ];
}
