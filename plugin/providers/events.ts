/** What the lists of providers tell: one function an event. */
import type { Metrics } from '../../core/runtime/metrics.ts';

export interface ProvidersEvents {
  announced(result: 'told' | 'failed', count: number): void;
  lookedUp(result: 'answered' | 'failed'): void;
  /** A member told of more than an owner keeps. */
  refused(count: number): void;
}

export function createProvidersEvents(metrics: Metrics, digestCount: () => number): ProvidersEvents {
  metrics.gauge({
    name: 'shoal_provider_digests',
    help: 'Digests whose providers this node keeps as an owner',
    read: () => [{ value: digestCount() }],
  });
  const announced = metrics.counter({
    name: 'shoal_announced_total',
    help: 'Blobs told to their owners, by whether the owner took the message',
    labels: ['result'],
  });
  const lookUps = metrics.counter({
    name: 'shoal_look_ups_total',
    help: 'Calls to owners for who has what',
    labels: ['result'],
  });
  const refused = metrics.counter({
    name: 'shoal_announced_refused_total',
    help: 'Blobs told by others that this node, as an owner, did not take: over a bound, or malformed',
  });
  return {
    announced: (result, count) => announced.add(count, { result }),
    lookedUp: (result) => lookUps.add(1, { result }),
    refused: (count) => refused.add(count),
  };
}
