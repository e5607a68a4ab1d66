/** Calls on their own: small and large reads, writes, Info under load, and the time that a Write keeps containerd's lock. */
import { median } from './median.ts';
import {
  type Measurement,
  measure,
  type RunningServer,
  SERVER_KINDS,
  type ServerKind,
  startEcho,
  startServer,
  type Usage,
  whileLoaded,
} from './servers.ts';

export interface CallsOptions {
  readonly client: string;
  readonly directory: string;
  /** Bytes of the blob that is written and read. */
  readonly sizeBytes: number;
  /** Bytes of the Write whose opening, resuming and committing are timed. */
  readonly lockBytes: number;
  readonly rounds: number;
}

/** Medians over the rounds. */
export interface CallsRow extends Measurement {
  /** Of the server; not known for what runs beside something else. */
  readonly cpu_s_per_gib?: number;
}

export interface CallsReport {
  readonly rows: Record<ServerKind, CallsRow[]>;
  readonly memory: Record<ServerKind, { idle: Usage; end: Usage }>;
}

const STREAMED = ['write', 'read32x1', 'read32x8', 'readone'];
const GIB = 2 ** 30;

export async function benchCalls(options: CallsOptions): Promise<CallsReport> {
  const rows = new Map<ServerKind, CallsRow[]>(SERVER_KINDS.map((kind) => [kind, []]));
  const memory: Partial<Record<ServerKind, { idle: Usage; end: Usage }>> = {};
  const servers: RunningServer[] = [];
  const echo = await startEcho(options);
  try {
    for (const kind of SERVER_KINDS) servers.push(await startServer(kind, options));
    const idle = new Map(servers.map((server) => [server.kind, server.usage()]));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const server of servers) rows.get(server.kind)?.push(...(await streamed(server, options)));
    }
    for (const server of servers) {
      const digest = rows.get(server.kind)?.find((row) => row.digest !== undefined)?.digest ?? '';
      const common = ['-socket', server.socket, '-digest', digest];
      const infos = await infosUnderLoad([...common, '-echo', echo.socket], options);
      const lock = await measure(options.client, [...common, '-what', 'lock', '-size', String(options.lockBytes)]);
      rows.get(server.kind)?.push(...infos, ...lock);
      memory[server.kind] = { idle: idle.get(server.kind) ?? server.usage(), end: server.usage() };
    }
  } finally {
    for (const server of servers) await server.stop();
    echo.stop();
  }
  const medians = SERVER_KINDS.map((kind) => [kind, mediansOf(rows.get(kind) ?? [])]);
  return { rows: Object.fromEntries(medians), memory: memory as CallsReport['memory'] };
}

/**
 * By one client on one connection, as containerd asks, and by a client of its own. Each call is followed by an echo of a third
 * process in the same seconds: what is above that is the service's.
 */
async function infosUnderLoad(common: readonly string[], options: CallsOptions): Promise<CallsRow[]> {
  const { client } = options;
  const rows: CallsRow[] = [];
  const args = [...common, '-size', String(options.sizeBytes)];
  for (let round = 0; round < options.rounds; round += 1) {
    const together = await measure(client, ['-what', 'info', ...args]);
    const infos = () => measure(client, ['-what', 'infos', ...args]);
    const apart = await whileLoaded({ client, args }, infos);
    const beside = await whileLoaded({ client, args, processors: 1 }, infos);
    rows.push(...together, ...apart.map((row) => ({ ...row, what: `${row.what}, by a client of its own` })));
    rows.push(...beside.map((row) => ({ ...row, what: `${row.what}, by a client of its own, load on one processor` })));
  }
  return rows;
}

async function streamed(server: RunningServer, options: CallsOptions): Promise<CallsRow[]> {
  const rows: CallsRow[] = [];
  let digest = '';
  for (const what of STREAMED) {
    const before = server.usage().cpuSeconds;
    const args = ['-socket', server.socket, '-what', what, '-size', String(options.sizeBytes), '-digest', digest];
    const [result] = await measure(options.client, args);
    if (result === undefined) continue;
    digest = result.digest ?? digest;
    const cpu = server.usage().cpuSeconds - before;
    rows.push({ ...result, cpu_s_per_gib: cpu / (options.sizeBytes / GIB) });
  }
  return rows;
}

function mediansOf(rows: readonly CallsRow[]): CallsRow[] {
  const names = [...new Set(rows.map(({ what }) => what))];
  return names.map((what) => medianRow(rows.filter((row) => row.what === what)));
}

function medianRow(rows: readonly CallsRow[]): CallsRow {
  const keys = ['seconds', 'mibps', 'p50_us', 'p99_us', 'max_us', 'cpu_s_per_gib'] as const;
  const values = keys.flatMap((key) => {
    const known = rows.flatMap((row) => row[key] ?? []);
    return known.length === 0 ? [] : [[key, Number(median(known).toPrecision(4))]];
  });
  return { what: rows[0]?.what ?? '', ...Object.fromEntries(values) };
}
