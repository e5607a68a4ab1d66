/** The members as the page reads them: one row each, made again only when something of it changed. Pure but for its memory. */
import type { MemberFacts, Surveyed } from '../../survey/survey.ts';
import type { MemberRow } from '../admin.ts';

/** A clock this far off is worth telling, milliseconds; below, it is the network's doing. */
export const SKEW_TOLD_MS = 1_000;

/** One member, as JSON. */
export interface MemberView {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  /** false: a member of another kind. */
  readonly shoal: boolean;
  readonly self: boolean;
  readonly zone: string;
  readonly version: string;
  readonly mode: string;
  /** null: not known yet, or never told. */
  readonly facts: FactsView | null;
  /** Why it said nothing when it was asked last. */
  readonly silent: string | null;
}

export interface FactsView {
  readonly started_at: string;
  readonly blobs: number;
  readonly bytes: number;
  readonly bytes_by_hold: Readonly<Record<'containerd' | 'cache' | 'pin', number>>;
  readonly capacity_bytes: number;
  readonly free_bytes: number;
  readonly flights: number;
  readonly swarms: number;
  readonly bytes_from_registries: number;
  readonly bytes_from_peers: number;
  readonly bytes_served: number;
  /** Its clock less this node's, rounded to seconds; 0 below a second. */
  readonly skew_seconds: number;
}

interface Kept {
  readonly row: MemberRow;
  readonly surveyed: Surveyed | undefined;
  readonly view: MemberView;
}

export class MemberViews {
  readonly #self: string;
  #kept = new Map<string, Kept>();

  constructor(self: string) {
    this.#self = self;
  }

  /** The same object for a member of which nothing changed. */
  views(rows: Iterable<MemberRow>, surveyed: ReadonlyMap<string, Surveyed>): MemberView[] {
    const kept = new Map<string, Kept>();
    for (const row of rows) {
      const before = this.#kept.get(row.name);
      const said = surveyed.get(row.name);
      const isSame = before !== undefined && before.surveyed === said && isSameRow(before.row, row);
      kept.set(row.name, isSame ? before : { row, surveyed: said, view: this.#view(row, said) });
    }
    this.#kept = kept;
    return [...kept.values()].map(({ view }) => view);
  }

  #view({ name, address, port, state, node }: MemberRow, surveyed: Surveyed | undefined): MemberView {
    const facts = surveyed?.facts;
    return {
      name,
      address: `${address.includes(':') ? `[${address}]` : address}:${port}`,
      state,
      shoal: node !== undefined,
      self: name === this.#self,
      zone: node?.zone ?? '',
      version: node?.version ?? '',
      mode: node?.mode ?? '',
      facts: facts === undefined ? null : factsView(facts, surveyed?.skewMs ?? 0),
      silent: surveyed?.failure ?? null,
    };
  }
}

export function factsView(facts: MemberFacts, skewMs: number): FactsView {
  return {
    started_at: new Date(Math.min(facts.startedAtMs, 8.64e15)).toISOString(),
    blobs: facts.blobs,
    bytes: facts.bytes,
    bytes_by_hold: facts.bytesByHold,
    capacity_bytes: facts.capacityBytes,
    free_bytes: facts.freeBytes,
    flights: facts.flights,
    swarms: facts.swarms.length,
    bytes_from_registries: facts.bytesFromRegistries,
    bytes_from_peers: facts.bytesFromPeers,
    bytes_served: facts.bytesServed,
    skew_seconds: Math.abs(skewMs) < SKEW_TOLD_MS ? 0 : Math.round(skewMs / 1000),
  };
}

function isSameRow(a: MemberRow, b: MemberRow): boolean {
  if (a.address !== b.address || a.port !== b.port || a.state !== b.state) return false;
  if (a.node === undefined || b.node === undefined) return a.node === b.node;
  return a.node.zone === b.node.zone && a.node.version === b.node.version && a.node.mode === b.node.mode;
}
