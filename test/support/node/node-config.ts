/** shoal.toml for one test node. Pure: settings in, text out. Nothing listens but on loopback, and nothing of other nodes. */
import { join } from 'node:path';

/** A registry as the node is told of it: loopback is asked only when it is configured. */
export interface NodeRegistry {
  /** `127.0.0.1:PORT`, as references begin. */
  readonly host: string;
  readonly url: string;
}

/** A node's place in a mesh of test nodes on loopback. */
export interface MeshSettings {
  /** Unique in the mesh. */
  readonly name: string;
  /** Of its gossip, UDP and TCP. */
  readonly port: number;
  /** Of a member. */
  readonly joinPort: number;
  readonly keyFile: string;
  /** `node.zone`; default none. */
  readonly zone?: string;
}

export interface NodeSettings {
  /** Absolute and short; the configuration, the socket and, unless told otherwise, the blobs lie below it. */
  directory: string;
  adminPort: number;
  registries: readonly NodeRegistry[];
  /** containerd's own socket; undefined = it is never called. */
  containerdSocket?: string;
  /** `content.root`; default `<directory>/content`. */
  contentRoot?: string;
  /** Default: the node's own. */
  claim?: 'off' | 'local' | 'fleet';
  /** `content.claim_give_up`, as "2s". */
  claimGiveUp?: string;
  /** Default: alone. */
  mesh?: MeshSettings;
  /** Of the mirror on loopback; absent = off. */
  mirrorPort?: number;
  /** `mirror.authorize`; default: the node's own. */
  authorize?: 'node' | 'caller';
  /** `admin.token_file`. */
  tokenFile?: string;
  /** `store.capacity`; default 4 GiB. */
  capacity?: string;
  /** `store.min_free`; default 64 MiB. */
  minFree?: string;
  /** The kubelet's file and its plugins. */
  credentialProviders?: { config: string; binDirectory: string };
}

/** Where containerd finds the node. */
export function contentSocketOf(directory: string): string {
  return join(directory, 'content.sock');
}

export function contentRootOf(settings: Pick<NodeSettings, 'directory' | 'contentRoot'>): string {
  return settings.contentRoot ?? join(settings.directory, 'content');
}

/** The whole file. Strings are written as JSON, which for paths and names is TOML as well. */
export function nodeConfigText(settings: NodeSettings): string {
  const { directory, adminPort, registries, containerdSocket, claim, claimGiveUp, mirrorPort, authorize } = settings;
  const text = JSON.stringify;
  return [
    '[node]',
    `name = ${text(settings.mesh?.name ?? 'test-node')}`,
    ...(settings.mesh?.zone === undefined ? [] : [`zone = ${text(settings.mesh.zone)}`]),
    `data_dir = ${text(join(directory, 'data'))}`,
    '',
    '[content]',
    `socket = ${text(contentSocketOf(directory))}`,
    `root = ${text(contentRootOf(settings))}`,
    `containerd = ${text(containerdSocket ?? '')}`,
    ...(claim === undefined ? [] : [`claim = "${claim}"`]),
    ...(claimGiveUp === undefined ? [] : [`claim_give_up = "${claimGiveUp}"`]),
    '',
    '[store]',
    // A test machine's disk may be small; nothing here is to be evicted.
    `capacity = "${settings.capacity ?? '4GiB'}"`,
    `min_free = "${settings.minFree ?? '64MiB'}"`,
    '',
    '[mesh]',
    ...meshLines(settings.mesh),
    '',
    '[peer]',
    'listen = "127.0.0.1:0"',
    '',
    '[mirror]',
    `listen = ${text(mirrorPort === undefined ? '' : `127.0.0.1:${mirrorPort}`)}`,
    ...(authorize === undefined ? [] : [`authorize = "${authorize}"`]),
    '',
    '[admin]',
    `listen = "127.0.0.1:${adminPort}"`,
    ...(settings.tokenFile === undefined ? [] : [`token_file = ${text(settings.tokenFile)}`]),
    '',
    '[upstream]',
    // The machine's own credentials are no part of a test.
    `docker_config = ${text(join(directory, 'docker.json'))}`,
    ...providerLines(settings.credentialProviders),
    ...registries.flatMap(({ host, url }) => [
      '',
      '[[upstream.registry]]',
      `host = ${text(host)}`,
      `endpoint = ${text(url)}`,
    ]),
    '',
    '[log]',
    'level = "debug"',
    'format = "json"',
    '',
  ].join('\n');
}

function providerLines(providers: NodeSettings['credentialProviders']): string[] {
  if (providers === undefined) return [];
  return [
    `credential_provider_config = ${JSON.stringify(providers.config)}`,
    `credential_provider_bin_dir = ${JSON.stringify(providers.binDirectory)}`,
  ];
}

function meshLines(mesh: MeshSettings | undefined): string[] {
  if (mesh === undefined) return ['enabled = false'];
  return [
    `bind = "127.0.0.1:${mesh.port}"`,
    `join = ["127.0.0.1:${mesh.joinPort}"]`,
    `key_file = ${JSON.stringify(mesh.keyFile)}`,
    'preset = "lan"',
  ];
}
