/** Mixes of settings that cannot work together. Each names every knob it is about. Pure. */
import { isAbsolute, relative } from 'node:path';
import { type HostPort, formatHostPort, isSameListener } from '../../core/runtime/config-address.ts';
import type { Conflict } from '../../core/runtime/config.ts';
import type { Read } from '../../core/runtime/config-schema.ts';
import type { nodeShape } from './node-shape.ts';

/** The file as read, before anything is derived from it. */
export type NodeFile = Read<ReturnType<typeof nodeShape>>;

/** Every conflict of a configuration, in no order. */
export function nodeConflicts(file: NodeFile): Conflict[] {
  return [
    ...contentConflicts(file),
    ...storeConflicts(file),
    ...secrecyConflicts(file),
    ...listenerConflicts(file),
    ...registryConflicts(file),
  ];
}

function contentConflicts({ content, node }: NodeFile): Conflict[] {
  return [
    ...when(content.claim === 'fleet' && content.containerd === undefined, {
      keys: ['content.claim', 'content.containerd'],
      message:
        'content.claim = "fleet" needs content.containerd: a claim that cannot be met is given back through it; set its socket, or claim = "local"',
    }),
    ...when(content.socket !== undefined && content.socket === content.containerd, {
      keys: ['content.socket', 'content.containerd'],
      message: `content.socket and content.containerd are both "${content.socket}"; the first is ours, the second containerd's own`,
    }),
    ...when(isWithin(node.dataDir, `${content.root}/blobs`) || isWithin(node.dataDir, `${content.root}/ingest`), {
      keys: ['node.data_dir', 'content.root'],
      message: `node.data_dir "${node.dataDir}" lies among the blobs of content.root "${content.root}"; keep them apart`,
    }),
  ];
}

function storeConflicts({ store }: NodeFile): Conflict[] {
  return when(store.lowWatermark > store.highWatermark, {
    keys: ['store.low_watermark', 'store.high_watermark'],
    message: `store.low_watermark is ${store.lowWatermark} and store.high_watermark ${store.highWatermark}; eviction goes from high down to low, so low must not be above`,
  });
}

function secrecyConflicts({ mesh, peer, upstream }: NodeFile): Conflict[] {
  const { certFile, keyFile, caFile } = peer.tls;
  const given = [certFile, keyFile, caFile].filter((file) => file !== undefined).length;
  const hasProviders = upstream.credentialProviderConfig !== undefined;
  return [
    ...when(mesh.insecure && mesh.keyFile !== undefined, {
      keys: ['mesh.insecure', 'mesh.key_file'],
      message:
        'mesh.insecure = true and mesh.key_file contradict each other; a mesh with a key is sealed, so drop one of them',
    }),
    ...when(given === 1 || given === 2, {
      keys: ['peer.tls', 'peer.tls.cert', 'peer.tls.key', 'peer.tls.ca'],
      message: 'peer.tls.cert, peer.tls.key and peer.tls.ca belong together; give all three or none',
    }),
    ...when(hasProviders !== (upstream.credentialProviderBinDir !== undefined), {
      keys: ['upstream.credential_provider_config', 'upstream.credential_provider_bin_dir'],
      message:
        'upstream.credential_provider_config and upstream.credential_provider_bin_dir belong together; give both or neither',
    }),
  ];
}

/** TCP listeners of one process. */
function listenerConflicts({ mesh, peer, mirror, admin }: NodeFile): Conflict[] {
  const listeners: { key: string; at: HostPort }[] = [
    ...(mesh.enabled ? [{ key: 'mesh.bind', at: mesh.bind }] : []),
    { key: 'peer.listen', at: peer.listen },
    ...(mirror.listen === undefined ? [] : [{ key: 'mirror.listen', at: mirror.listen }]),
    { key: 'admin.listen', at: admin.listen },
  ];
  return listeners.flatMap((a, index) =>
    listeners.slice(index + 1).flatMap((b) =>
      when(isSameListener(a.at, b.at), {
        keys: [a.key, b.key],
        message: `${a.key} "${formatHostPort(a.at)}" and ${b.key} "${formatHostPort(b.at)}" take the same port; give one of them another`,
      }),
    ),
  );
}

function registryConflicts({ upstream }: NodeFile): Conflict[] {
  const hosts = upstream.registries.map(({ host }) => host);
  return upstream.registries.flatMap((registry, index) => {
    const at = `upstream.registry[${index}]`;
    const first = hosts.indexOf(registry.host);
    return [
      ...when(first !== index, {
        keys: [`${at}.host`, `upstream.registry[${first}].host`],
        message: `"${registry.host}" is also upstream.registry[${first}].host; one table for each registry`,
      }),
      ...when((registry.username === undefined) !== (registry.passwordFile === undefined), {
        keys: [`${at}.username`, `${at}.password_file`],
        message: `${at}.username and ${at}.password_file belong together; give both or neither`,
      }),
      ...when(registry.caFile !== undefined && registry.endpoint?.startsWith('http://') === true, {
        keys: [`${at}.ca_file`, `${at}.endpoint`],
        message: `${at}.ca_file has no use with ${at}.endpoint "${registry.endpoint}"; plain http has no certificate`,
      }),
    ];
  });
}

function when(isConflict: boolean, conflict: Conflict): Conflict[] {
  return isConflict ? [conflict] : [];
}

function isWithin(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return !steps.startsWith('..') && !isAbsolute(steps);
}
