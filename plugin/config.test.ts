import { describe, expect, it } from '@jest/globals';
import { messageOf } from '../core/runtime/errors.ts';
import { type NodeConfig, parseNodeConfig } from './config.ts';

function parse(text: string, env: Record<string, string> = { HOME: '/root' }): NodeConfig {
  return parseNodeConfig({ text, file: 's.toml', env, hostName: 'host-1' });
}

function problemOf(text: string): string {
  try {
    parse(text);
    return 'none';
  } catch (error) {
    return messageOf(error);
  }
}

describe('parseNodeConfig()', () => {
  it('gives the documented defaults', () => {
    const config = parse('');
    expect(config).toMatchObject({
      node: { name: 'host-1', dataDir: '/var/lib/shoal' },
      content: { socket: '/run/shoal/content.sock', claim: 'fleet', claimGiveUpMs: 60_000 },
      store: { capacity: { bytes: 50 * 2 ** 30 }, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 5 * 2 ** 30 },
      mesh: { enabled: true, bind: { host: '0.0.0.0', port: 7946 }, advertise: undefined, join: [], preset: 'lan' },
      peer: { listen: { port: 7948 }, uploadLimitBytesPerSecond: undefined, mode: 'full' },
      mirror: { listen: { host: '127.0.0.1', port: 7949 }, authorize: 'node', staleTags: 'upstream-down' },
      admin: { listen: { host: '127.0.0.1', port: 7950 }, tokenFile: undefined },
      upstream: { concurrency: 8, allow: [], dockerConfig: { file: '/root/.docker/config.json', isRequired: false } },
      log: { level: 'info', format: 'auto' },
    });
    expect(Object.values(config).every(Object.isFrozen)).toBe(true);
  });

  it('"" turns parts off, and without containerd only local blobs are claimed', () => {
    const config = parse('[content]\nsocket = ""\ncontainerd = ""\n[mirror]\nlisten = ""');
    expect(config.content).toMatchObject({ socket: undefined, containerd: undefined, claim: 'local' });
    expect(config.mirror.listen).toBeUndefined();
  });

  it('finds the docker configuration: named, by its variable, or none', () => {
    expect(parse('[upstream]\ndocker_config = "/d/c.json"').upstream.dockerConfig).toEqual({
      file: '/d/c.json',
      isRequired: true,
    });
    expect(parse('', { DOCKER_CONFIG: '/dc' }).upstream.dockerConfig?.file).toBe('/dc/config.json');
    expect(parse('', {}).upstream.dockerConfig).toBeUndefined();
  });

  it.each([
    [
      '[store]\nlow_watermark = 0.95',
      /^s\.toml:2: store\.low_watermark: .*low_watermark is 0\.95.*high_watermark 0\.9/,
    ],
    ['[content]\nclaim = "fleet"\ncontainerd = ""', /content\.claim = "fleet" needs content\.containerd/],
    ['[content]\nsocket = "/run/containerd/containerd.sock"', /content\.socket and content\.containerd are both/],
    ['[node]\ndata_dir = "/var/lib/shoal/content/blobs/x"', /node\.data_dir .* content\.root/],
    ['[mesh]\ninsecure = true\nkey_file = "/k"', /mesh\.insecure = true and mesh\.key_file/],
    ['[peer.tls]\ncert = "/c"', /peer\.tls\.cert, peer\.tls\.key and peer\.tls\.ca belong together/],
    ['[mirror]\nlisten = "127.0.0.1:7950"', /mirror\.listen .* and admin\.listen .* take the same port/],
    ['[admin]\nlisten = "127.0.0.1:7946"', /mesh\.bind .* and admin\.listen/],
    ['[upstream]\ncredential_provider_config = "/c"', /credential_provider_bin_dir belong together/],
    ['[[upstream.registry]]\nhost = "a"\nusername = "u"', /registry\[0\]\.password_file belong together/],
    [
      '[[upstream.registry]]\nhost = "a"\n[[upstream.registry]]\nhost = "A"',
      /"a" is also upstream\.registry\[0\]\.host/,
    ],
    ['[[upstream.registry]]\nhost = "a"\nendpoint = "http://a"\nca_file = "/c"', /ca_file has no use with .*endpoint/],
  ])('refuses the mix %j, naming both knobs', (text, expected) => {
    expect(problemOf(text)).toMatch(expected);
  });

  it.each([
    ['[node]\nname = "a b"', /node\.name: "a b" is not a node name/],
    ['[content]\nroot = "data"', /content\.root: "data" is not an absolute path/],
    [`[content]\nsocket = "/${'x'.repeat(108)}"`, /a socket path at most 107/],
    ['[content]\nclaim_give_up = "5ms"', /too short; at least 1s/],
    ['[mesh]\njoin = ["10.0.0.1"]', /mesh\.join\[0\]: "10\.0\.0\.1" is not HOST:PORT/],
    ['[mesh]\njoin = ["dns:a"]', /is not HOST:PORT/],
    ['[mesh]\njoin = ["dnssrv:"]', /dnssrv: and a DNS name/],
    ['[upstream]\nconcurrency = 0', /upstream\.concurrency: 0 is not a whole number/],
    ['[upstream]\nallow = ["https://a"]', /is not a registry host/],
    ['[[upstream.registry]]\nhost = "a"\nendpoint = "a"', /is not an http:\/\/ or https:\/\/ address/],
    ['[[upstream.registry]]\nhost = "a"\nendpoint = "https://u:s3cret@a"', /Credentials do not belong in an endpoint/],
    ['[peer]\nupload_limit = "fast"', /peer\.upload_limit: "fast" is not a rate/],
    ['[log]\nlevel = "trace"', /log\.level: "trace" is not one of error, warn, info, debug/],
  ])('refuses the value in %j', (text, expected) => {
    const problem = problemOf(text);
    expect(problem).toMatch(expected);
    expect(problem).toMatch(/^s\.toml:\d+: /);
    expect(problem).not.toContain('s3cret');
  });

  it('reads what to join', () => {
    const { join } = parse('[mesh]\njoin = ["10.0.0.1:7946", "dns:shoal.svc:7946", "dnssrv:_g._tcp.x"]').mesh;
    expect(join).toEqual([
      { kind: 'address', address: { host: '10.0.0.1', port: 7946 } },
      { kind: 'dns', name: 'shoal.svc', port: 7946 },
      { kind: 'srv', name: '_g._tcp.x' },
    ]);
  });
});
