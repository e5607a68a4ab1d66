/** Opens a mesh: its sockets, the core between them, and the joining in the background. */
import { networkInterfaces } from 'node:os';
import { systemClock } from '../../core/runtime/clock.ts';
import { formatHostPort, isLoopback } from '../../core/runtime/config-address.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { MeshEvents } from './events.ts';
import { systemResolver } from './joining/join-addresses.ts';
import { Joiner } from './joining/joiner.ts';
import { isGone } from './members/member-record.ts';
import { MeshCore } from './mesh-core.ts';
import type { MeshDeps, MeshOptions } from './mesh-options.ts';
import { advertisedAddress, bindAddress } from './net/addresses.ts';
import { NetTransport } from './net/net-transport.ts';
import type { Endpoint } from './net/transport.ts';
import { PRESETS } from './presets.ts';
import { systemScheduler } from './scheduler.ts';
import { PacketCodec } from './wire/packet-codec.ts';
import { StreamCodec } from './wire/stream-codec.ts';

export interface OpenMesh {
  readonly core: MeshCore;
  /** Ends joining; members stay as they are. */
  stopJoining(): Promise<void>;
  /** Ends everything, telling nobody. */
  close(): Promise<void>;
}

/** @throws CodedError UNAVAILABLE when the address cannot be had, FAILED_PRECONDITION without an address to advertise */
export async function openMesh(deps: MeshDeps & { events: MeshEvents }, options: MeshOptions): Promise<OpenMesh> {
  const { events } = deps;
  const { keyring, label, name, tags } = options;
  const timings = { ...PRESETS[options.preset], ...options.timings };
  const bind = bindAddress(options.bind, {
    hasKey: keyring !== undefined,
    isInsecure: options.isInsecure ?? false,
  });
  // Sockets open before there is a core, because only then its port is known.
  let core: MeshCore | undefined;
  const transport = new NetTransport({
    events,
    codec: new StreamCodec({ keyring, label }),
    streamTimeoutMs: timings.streamTimeoutMs,
    onPacket: (packet, from) => core?.onPacket(packet, from),
    onStream: (message, from) => core?.onStream(message, from),
  });
  const bound = { ...bind, port: await transport.listen(bind) };
  try {
    // What only this machine reaches must not be told to others under another address.
    const advertise = isLoopback(bound.address) ? undefined : options.advertise;
    const endpoint = advertisedAddress(bound, advertise, Object.values(networkInterfaces()).flat().filter(isThere));
    const codec = new PacketCodec({ keyring, label });
    const given = { scheduler: systemScheduler, random: Math.random, transport, codec, events };
    core = new MeshCore(given, { name, endpoint, tags, timings });
    core.start();
    events.started({ bind: shown(bound), advertise: shown(endpoint), isSealed: keyring !== undefined });
    return { core, ...runJoiner(deps, options, { core, transport }) };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

function runJoiner(
  deps: MeshDeps & { events: MeshEvents },
  options: MeshOptions,
  { core, transport }: { core: MeshCore; transport: NetTransport },
): Omit<OpenMesh, 'core'> {
  const abort = new AbortController();
  const joiner = new Joiner({
    events: deps.events,
    addresses: options.join,
    resolver: deps.resolver ?? systemResolver,
    join: (to) => joinAt(core, to),
    isMember: (endpoint) => isMember(core, endpoint),
    isAlone: () => core.countAlive() <= 1,
    clock: deps.clock ?? systemClock,
    random: Math.random,
  });
  const joining = joiner.run({ signal: abort.signal });
  const stopJoining = async () => {
    abort.abort(new CodedError('CANCELLED', 'Joining ends'));
    await joining;
  };
  const close = async () => {
    core.stop();
    await transport.close();
    await stopJoining();
  };
  return { stopJoining, close };
}

function joinAt(core: MeshCore, to: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    core.join(to, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

function isMember(core: MeshCore, { address, port }: Endpoint): boolean {
  for (const record of core.table.records()) {
    if (record.address === address && record.port === port && !isGone(record)) return true;
  }
  return false;
}

function shown({ address, port }: Endpoint): string {
  return formatHostPort({ host: address, port });
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
