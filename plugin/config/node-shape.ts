/** Every key of the node's configuration file with its default: the one place where these are written. */
import { REGISTRIES_MAX, registryHost, registrySettings } from '../../core/registry/registry-settings.ts';
import { absolutePath } from '../../core/runtime/config-path.ts';
import { parseHostPort } from '../../core/runtime/config-address.ts';
import {
  choice,
  flag,
  integer,
  list,
  oneOf,
  optional,
  parsed,
  section,
  share,
} from '../../core/runtime/config-schema.ts';
import { LOG_LEVELS } from '../../core/runtime/log.ts';
import { parseBytes, parseDuration, parseRate, parseSizeOrShare } from '../../core/runtime/units.ts';
import { joinAddress, nodeName, socketPath, zoneName } from './setting-values.ts';

/** More seeds than this say nothing new: members tell of each other. */
const JOIN_MAX = 256;
/** Beyond this a registry answers 429 long before. */
const UPSTREAM_CONCURRENCY_MAX = 1024;

/** The shape of the file; `hostName` is the default node name. */
export function nodeShape(hostName: string) {
  return {
    node: section('node', {
      name: parsed('name', hostName, nodeName),
      zone: parsed('zone', '', zoneName),
      dataDir: parsed('data_dir', '/var/lib/shoal', absolutePath),
    }),
    content: section('content', {
      /** Where containerd finds us; undefined = plugin off. */
      socket: optional('socket', '/run/shoal/content.sock', socketPath),
      root: parsed('root', '/var/lib/shoal/content', absolutePath),
      /** containerd's own socket; undefined = never call it. */
      containerd: optional('containerd', '/run/containerd/containerd.sock', socketPath),
      /** undefined = not said: fleet with containerd's socket, local without. */
      claim: optional('claim', '', oneOf(['off', 'local', 'fleet'])),
      /** What speaks gRPC to containerd: our own HTTP/2 server, or @grpc/grpc-js. */
      transport: choice('transport', ['direct', 'grpc-js'], 'direct'),
      claimGiveUpMs: parsed('claim_give_up', '60s', atLeastMs(1000, parseDuration)),
    }),
    store: section('store', {
      capacity: parsed('capacity', '50GiB', parseSizeOrShare),
      highWatermark: share('high_watermark', 0.9),
      lowWatermark: share('low_watermark', 0.7),
      minFreeBytes: parsed('min_free', '5GiB', parseBytes),
    }),
    mesh: section('mesh', {
      enabled: flag('enabled', true),
      bind: parsed('bind', '0.0.0.0:7946', parseHostPort),
      /** undefined = found from the interface. */
      advertise: optional('advertise', '', parseHostPort),
      join: list('join', joinAddress, { max: JOIN_MAX }),
      keyFile: optional('key_file', '', absolutePath),
      insecure: flag('insecure', false),
      preset: choice('preset', ['lan', 'wan', 'local'], 'lan'),
    }),
    peer: section('peer', {
      listen: parsed('listen', '0.0.0.0:7948', parseHostPort),
      uploadLimitBytesPerSecond: optional('upload_limit', '', parseRate),
      downloadLimitBytesPerSecond: optional('download_limit', '', parseRate),
      tls: section('tls', {
        certFile: optional('cert', '', absolutePath),
        keyFile: optional('key', '', absolutePath),
        caFile: optional('ca', '', absolutePath),
      }),
      mode: choice('mode', ['full', 'leech', 'observer'], 'full'),
    }),
    mirror: section('mirror', {
      /** undefined = off. */
      listen: optional('listen', '127.0.0.1:7949', parseHostPort),
      authorize: choice('authorize', ['node', 'caller'], 'node'),
      staleTags: choice('stale_tags', ['never', 'upstream-down'], 'upstream-down'),
    }),
    admin: section('admin', {
      listen: parsed('listen', '127.0.0.1:7950', parseHostPort),
      tokenFile: optional('token_file', '', absolutePath),
    }),
    upstream: section('upstream', {
      concurrency: integer('concurrency', 8, { min: 1, max: UPSTREAM_CONCURRENCY_MAX }),
      bandwidthBytesPerSecond: optional('bandwidth', '', parseRate),
      /** Empty = any registry that is not loopback, link-local or a metadata address. */
      allow: list('allow', registryHost, { max: REGISTRIES_MAX }),
      dockerConfig: optional('docker_config', '', absolutePath),
      credentialProviderConfig: optional('credential_provider_config', '', absolutePath),
      credentialProviderBinDir: optional('credential_provider_bin_dir', '', absolutePath),
      registries: registrySettings,
    }),
    log: section('log', {
      level: choice('level', LOG_LEVELS, 'info'),
      format: choice('format', ['json', 'pretty', 'auto'], 'auto'),
    }),
  };
}

/** Shorter waits than this give claims back that are merely slow. */
function atLeastMs(minMs: number, parse: (text: string) => number): (text: string) => number {
  return (text) => {
    const ms = parse(text);
    if (ms < minMs) throw new Error(`"${text}" is too short; at least ${minMs / 1000}s`);
    return ms;
  };
}
