/** The plan as `shoal warm plan --json` prints it. Its names are fixed: scripts read them. Pure. */
import type { Plan, PlannedEvent, PlannedImage, PlannedNode } from './plan.ts';

/** One document; of a large fleet it is long, so `planJsonChunks` prints it in pieces. */
export function planJson(plan: Plan): object {
  return {
    at: time(plan.atMs),
    images: plan.images.map(imageJson),
    events: plan.events.map(eventJson),
    nodes: plan.nodes.map(nodeJson),
    unresolved: plan.unresolved.map(({ file, line, value, reason }) => ({ file, line, value, reason })),
    totals: totalsJson(plan),
  };
}

/**
 * The same document as text, in pieces that together are one JSON document: thousands of images on thousands of nodes are
 * more text than one string can hold.
 */
export function* planJsonChunks(plan: Plan): Generator<string> {
  yield `{\n  "at": ${JSON.stringify(time(plan.atMs))},\n`;
  yield* list('images', plan.images, imageJson);
  yield* list('events', plan.events, eventJson);
  yield* list('nodes', plan.nodes, nodeJson);
  yield* list('unresolved', plan.unresolved, ({ file, line, value, reason }) => ({ file, line, value, reason }));
  yield `  "totals": ${JSON.stringify(totalsJson(plan))}\n}\n`;
}

function* list<T>(name: string, items: readonly T[], toJson: (item: T) => object): Generator<string> {
  yield `  "${name}": [`;
  for (const [index, item] of items.entries()) yield `${index === 0 ? '' : ','}\n    ${JSON.stringify(toJson(item))}`;
  yield `${items.length === 0 ? '' : '\n  '}],\n`;
}

function imageJson(image: PlannedImage): object {
  return {
    ref: image.reference,
    digest: image.digest ?? null,
    platforms: image.platforms,
    bytes: image.bytes ?? null,
    layers: image.layers.map(({ digest, size }) => ({ digest, size })),
    used_by: image.usedBy.map(({ file, line, document, kind, namespace, name, path }) => ({
      file,
      line,
      document,
      kind,
      namespace: namespace ?? null,
      name: name ?? null,
      path,
    })),
  };
}

function eventJson(event: PlannedEvent): object {
  return {
    at: time(event.at),
    kind: event.kind,
    namespace: event.namespace ?? null,
    name: event.name,
    replicas: event.replicas ?? null,
    schedule: event.schedule ?? null,
    timezone: event.timezone ?? null,
    images: event.images,
    start_by: time(event.startByMs),
  };
}

function nodeJson({ name, bytesMissing, images }: PlannedNode): object {
  return { name, bytes_missing: bytesMissing, images };
}

function totalsJson({ totals }: Plan): object {
  const { images, uniqueBytes, bytesToMove, upstreamBytes } = totals;
  return { images, unique_bytes: uniqueBytes, bytes_to_move: bytesToMove, upstream_bytes: upstreamBytes };
}

/** RFC 3339, UTC, whole seconds. */
function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
