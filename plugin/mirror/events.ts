/** What the mirror tells: one function an event, so that log and counters cannot drift. */
import { codeOf, messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { TagName } from './mirror.ts';
import type { Asked } from './spec-errors.ts';

export interface AnsweredFacts {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly asked: Asked;
  readonly status: number;
}

export interface MirrorEvents {
  /** `isExposed`: other machines reach it, and this node's own rights decide what they get. */
  listening(address: string, isExposed: boolean): void;
  answered(facts: AnsweredFacts): void;
  /** A request that ended in an error; ours only when it is INTERNAL. */
  failed(facts: AnsweredFacts, error: unknown): void;
  /** An answer that was begun could not be finished: its connection was cut. */
  cut(facts: AnsweredFacts, error: unknown): void;
  sent(bytes: number): void;
  /** The last known digest of a tag was served, since its registry cannot be asked. */
  staleTag(name: TagName, error: unknown): void;
  /** A manifest was served that could not be kept. */
  notKept(digest: string, error: unknown): void;
  authorized(answer: 'granted' | 'remembered' | 'refused' | 'unanswered'): void;
  /** A connection more than may be open: an idle one was closed for it, or it itself. */
  overflowed(closed: 'idle' | 'new'): void;
}

export function createMirrorEvents(
  { log, metrics }: { log: Logger; metrics: Metrics },
  connections: () => number,
): MirrorEvents {
  const requests = metrics.counter({
    name: 'shoal_mirror_requests_total',
    help: 'Requests to the mirror, by what was asked for and how it was answered',
    labels: ['kind', 'status'],
  });
  const bytes = metrics.counter({ name: 'shoal_mirror_bytes_total', help: 'Body bytes that the mirror sent' });
  const stale = metrics.counter({
    name: 'shoal_mirror_stale_tags_total',
    help: 'Tags served by their last known digest, because their registry could not be asked',
  });
  const authorizations = metrics.counter({
    name: 'shoal_mirror_authorizations_total',
    help: 'Callers checked with their registry, where mirror.authorize = "caller"',
    labels: ['answer'],
  });
  const overflows = metrics.counter({
    name: 'shoal_mirror_connections_refused_total',
    help: 'Connections closed because as many as may be were open: idle ones for new ones, or the new one',
    labels: ['closed'],
  });
  metrics.gauge({
    name: 'shoal_mirror_connections',
    help: 'Connections open to the mirror',
    read: () => [{ value: connections() }],
  });
  const count = ({ asked, status }: AnsweredFacts) => requests.add(1, { kind: asked, status: `${status}` });
  return {
    listening: (address, isExposed) => {
      log.info({ address }, 'Mirror is open');
      if (!isExposed) return;
      const text =
        'mirror.listen is open to other machines and mirror.authorize is "node": they can read what this node holds or may read';
      log.warn({ address }, text);
    },
    answered: (facts) => {
      count(facts);
      log.debug({ ...facts }, 'Mirror request answered');
    },
    failed: (facts, error) => {
      count(facts);
      const code = codeOf(error);
      if (code === 'INTERNAL') log.error({ ...facts, err: error }, 'Mirror request failed');
      else if (facts.status >= 500) log.warn({ ...facts, code, reason: messageOf(error) }, 'Mirror request failed');
      else log.debug({ ...facts, code, reason: messageOf(error) }, 'Mirror request refused');
    },
    cut: (facts, error) => {
      count(facts);
      const fields = { ...facts, code: codeOf(error), reason: messageOf(error) };
      if (codeOf(error) === 'CANCELLED') log.debug(fields, 'Mirror client went away');
      else log.warn(fields, 'Mirror answer was cut short');
    },
    sent: (count) => bytes.add(count),
    staleTag: (name, error) => {
      stale.add(1);
      log.warn({ ...name, reason: messageOf(error) }, 'Last known digest of a tag is served');
    },
    notKept: (digest, error) => log.warn({ digest, reason: messageOf(error) }, 'Manifest could not be kept'),
    authorized: (answer) => authorizations.add(1, { answer }),
    overflowed: (closed) => {
      overflows.add(1, { closed });
      log.debug({ closed }, 'Mirror connection closed for want of room');
    },
  };
}
