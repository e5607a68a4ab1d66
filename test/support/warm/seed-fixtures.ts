/** Images as a registry gives them and a fleet that answers as it is told, for the tests of this room and of those after it. */
import { digestOf } from '../../../core/oci/digest.ts';
import { OCI_LAYER_GZIP } from '../../../core/oci/media-types.ts';
import type { SeedLine, SeedResult } from '../../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedRequest } from '../../../proto/shoal/seed/v1/seed-request.ts';
import type { ResolvedImage } from '../../../warmer/images/images.ts';
import type { Fleet } from '../../../warmer/seed/fleet.ts';
import type { SeedTask } from '../../../warmer/seed/seed-tasks.ts';
import { node } from '../../../warmer/plan/plan-fixtures.ts';

export function resolved(name: string, architectures: readonly string[] = ['amd64', 'arm64']): ResolvedImage {
  const blob = (what: string, size: number) => ({
    mediaType: OCI_LAYER_GZIP,
    digest: digestOf(`${name} ${what}`),
    size,
  });
  return {
    reference: `registry.example/${name}:1`,
    digest: digestOf(`${name} index`),
    source: { registry: 'registry.example', repository: name },
    indexes: [blob('index', 10)],
    variants: architectures.map((architecture) => ({
      platform: { os: 'linux', architecture },
      manifest: blob(`${architecture} manifest`, 10),
      config: blob(`${architecture} config`, 10),
      layers: [blob(`${architecture} layer`, 1000)],
      foreignLayers: [],
    })),
    missingPlatforms: [],
    isArtifact: false,
  };
}

export function waveTask(id: number, names: readonly string[], more: Partial<SeedTask> = {}): SeedTask {
  return {
    id,
    after: undefined,
    kind: 'wave',
    group: 1,
    wave: 1,
    waveCount: 1,
    images: [resolved('web')],
    nodes: names.map((name) => node(name)),
    dueMs: undefined,
    ...more,
  };
}

export function result(name: string, ref: string, more: Partial<SeedResult> = {}): SeedResult {
  return {
    kind: 'result',
    node: name,
    ref,
    digest: digestOf('any'),
    state: 'fetched',
    bytes_total: 1030,
    bytes_fetched: 1030,
    blobs_verified: 4,
    blobs_total: 4,
    pinned_until: '2026-11-21T10:00:00Z',
    unpacked: null,
    reason: null,
    code: null,
    failed_digest: null,
    retriable: false,
    elapsed_ms: 1,
    ...more,
  };
}

export class FakeFleet implements Fleet {
  takesTokens = true;
  readonly requests: SeedRequest[] = [];
  /** What becomes of an image on a node, by default fetched; undefined: the answer is cut off there. */
  answer: (node: string, ref: string, attempt: number) => SeedLine | undefined = (name, ref) => result(name, ref);
  names: readonly string[] = [];

  async members() {
    return this.names.map((name) => ({
      ...{ name, zone: '', mode: 'full' as const, isReached: true, labels: {}, roomBytes: undefined },
      platform: { os: 'linux', architecture: 'amd64' },
    }));
  }

  async presence() {
    return { held: new Map(), silent: new Map() };
  }

  async *seed(request: SeedRequest): AsyncGenerator<SeedLine> {
    this.requests.push(request);
    for (const name of request.targets) {
      for (const { ref } of request.images) {
        const line = this.answer(name, ref, this.#attempts(name, ref));
        if (line === undefined) throw new Error('The connection broke');
        yield line;
      }
    }
    yield { kind: 'done', id: '1', present: 0, fetched: 0, skipped: 0, failed: 0, bytes_fetched: 0 };
  }

  #attempts(name: string, ref: string): number {
    return this.requests.filter(
      ({ targets, images }) => targets.includes(name) && images.some((one) => one.ref === ref),
    ).length;
  }
}
