/** `GET /api/v1/reach`: how other members are reached from here and back, tried now; one JSON line each. For diagnosis. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CodedError, messageOf } from '../../../core/runtime/errors.ts';
import type { Reached } from '../../survey/survey.ts';
import type { AdminDeps, MemberRow } from '../admin.ts';
import { startJsonLines } from '../json-lines.ts';

/** Tried by one request: enough to tell a firewall from one broken node. */
export const REACH_MEMBERS_MAX = 16;
/** Tried at once. */
const AT_ONCE = 8;

type Deps = Pick<AdminDeps, 'members' | 'survey' | 'status'>;

/** @throws CodedError RESOURCE_EXHAUSTED while another one is under way: whoever may look must not make traffic without end */
export function createReachHandler(deps: Deps, random: () => number = Math.random) {
  let isBusy = false;
  return async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (isBusy)
      throw new CodedError('RESOURCE_EXHAUSTED', 'Members are being tried already; ask again in a few seconds');
    isBusy = true;
    const gone = new AbortController();
    response.once('close', () => gone.abort(new CodedError('CANCELLED', 'Whoever asked has gone')));
    try {
      const lines = startJsonLines(response);
      const chosen = choose(othersOf(deps), random);
      for (let at = 0; at < chosen.length; at += AT_ONCE) {
        const rows = await Promise.all(chosen.slice(at, at + AT_ONCE).map((row) => tryOne(deps, row, gone.signal)));
        for (const row of rows) await lines.write(row);
      }
      lines.end();
    } finally {
      isBusy = false;
    }
  };
}

/** Live members with our tag, this node left out. */
function othersOf({ members, status }: Deps): MemberRow[] {
  const { name } = status();
  const isLive = (state: string) => state === 'alive' || state === 'suspect';
  return [...members()].filter((row) => row.node !== undefined && row.name !== name && isLive(row.state));
}

/** Some of them by chance, so that asking again tells more. */
function choose(rows: readonly MemberRow[], random: () => number): MemberRow[] {
  const drawn = rows.map((row) => ({ row, ticket: random() })).sort((a, b) => a.ticket - b.ticket);
  return drawn.slice(0, REACH_MEMBERS_MAX).map(({ row }) => row);
}

async function tryOne(
  { survey }: Deps,
  { name, address, port, node }: MemberRow,
  signal: AbortSignal,
): Promise<object> {
  const base = { member: name, address, port, peer_port: node?.peerPort ?? 0 };
  if (survey === undefined) return { ...base, failure: 'There is no mesh' };
  return survey.reach(name, { signal }).then(
    (reached) => ({ ...base, ...reachJson(reached), failure: null }),
    (error: unknown) => ({ ...base, failure: messageOf(error) }),
  );
}

function reachJson({ udp, tcp, peer, backUdp, backTcp, skewMs }: Reached) {
  return {
    udp,
    tcp,
    peer: peer === true,
    peer_failure: peer === true ? null : peer.reason,
    back_udp: backUdp ?? null,
    back_tcp: backTcp ?? null,
    skew_ms: skewMs ?? null,
  };
}
