/** What the daemon knows of other members, and what it finds when it tries them. */
import { hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { formatHostPort } from '../../core/runtime/config-address.ts';
import type { NodeConfig } from '../../plugin/config.ts';
import { readNodeSecrets } from '../../plugin/config/node-secrets.ts';
import { type Fields, fieldsOf, numberIn, textIn, textsIn } from '../json-fields.ts';
import { askFields, askLines } from './ask-daemon.ts';
import type { DaemonFacts, MeshFacts, ReachFacts } from './facts.ts';

/** The daemon tries members for some seconds, eight at a time. */
const REACH_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Of `mesh.join`; more tell nothing new. */
const JOIN_TRIED_MAX = 16;
const FINGERPRINT_BYTES = 4;

export async function gatherMesh(config: NodeConfig): Promise<MeshFacts> {
  const told = fieldsOf((await askFields(config, '/api/v1/status')).mesh);
  const members = await askLines(config, '/api/v1/members');
  const isLive = (member: Fields) => ['alive', 'suspect'].includes(textIn(member, 'state'));
  return {
    alive: numberIn(fieldsOf(told.members), 'alive'),
    banned: textsIn(told, 'banned'),
    joinFailure: typeof told.join_failure === 'string' ? told.join_failure : undefined,
    joinAnswers: await joinAnswers(config),
    strangers: rowsIn(told, 'strangers').map((row) => ({
      address: textIn(row, 'address'),
      reason: textIn(row, 'reason'),
      lastAtMs: Date.parse(textIn(row, 'last_at')),
    })),
    versions: members.flatMap((member) =>
      isLive(member) && member.node !== null
        ? [{ member: textIn(member, 'name'), version: textIn(fieldsOf(member.node), 'version') }]
        : [],
    ),
    keyFingerprint: await keyFingerprint(config).catch(() => undefined),
  };
}

export async function gatherDaemon(config: NodeConfig): Promise<DaemonFacts> {
  const status = await askFields(config, '/api/v1/status');
  const store = fieldsOf(status.store);
  const held = fieldsOf(store.bytes_by_hold);
  return {
    version: textIn(status, 'version'),
    cacheBytes: numberIn(held, 'cache'),
    pinBytes: numberIn(held, 'pin'),
    capacityBytes: numberIn(store, 'capacity_bytes'),
  };
}

export async function gatherReach(config: NodeConfig): Promise<ReachFacts[]> {
  if (!config.mesh.enabled) return [];
  const rows = await askLines(config, '/api/v1/reach', REACH_TIMEOUT_MS);
  return rows.map((row) => ({
    member: textIn(row, 'member'),
    address: textIn(row, 'address'),
    meshPort: numberIn(row, 'port'),
    peerPort: numberIn(row, 'peer_port'),
    failure: typeof row.failure === 'string' ? row.failure : undefined,
    udp: row.udp === true,
    tcp: row.tcp === true,
    peer: row.peer === true,
    peerFailure: typeof row.peer_failure === 'string' ? row.peer_failure : undefined,
    backUdp: typeof row.back_udp === 'boolean' ? row.back_udp : undefined,
    backTcp: typeof row.back_tcp === 'boolean' ? row.back_tcp : undefined,
    skewMs: typeof row.skew_ms === 'number' ? row.skew_ms : undefined,
  }));
}

/** Of the key that seals: HKDF under a label of its own, so that it tells nothing of the key or of what else rests on it. */
async function keyFingerprint(config: NodeConfig): Promise<string | undefined> {
  const [key] = (await readNodeSecrets(config, (file) => readFile(file, 'utf8'))).meshKeys;
  if (key === undefined) return undefined;
  return Buffer.from(hkdfSync('sha256', key, '', 'shoal key fingerprint', FINGERPRINT_BYTES)).toString('hex');
}

async function joinAnswers({ mesh }: NodeConfig): Promise<string[]> {
  const addresses = mesh.join
    .flatMap((join) => (join.kind === 'address' ? [join.address] : []))
    .slice(0, JOIN_TRIED_MAX);
  const tried = await Promise.all(
    addresses.map(async (address) => ((await takesConnection(address)) ? formatHostPort(address) : undefined)),
  );
  const own = formatHostPort(mesh.bind);
  return tried.filter((address) => address !== undefined && address !== own).flatMap((address) => address ?? []);
}

function takesConnection({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const settle = (isTaken: boolean) => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

function rowsIn(fields: Fields, key: string): Fields[] {
  const value = fields[key];
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
