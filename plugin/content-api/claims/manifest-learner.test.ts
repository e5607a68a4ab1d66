import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../core/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../core/oci/media-types.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { ManualClock, settle } from '../../content/fakes/manual-clock.ts';
import {
  type ClaimWorld,
  type ClaimWorldOptions,
  CONFIG,
  LAYER,
  LAYER_SIZE,
  MANIFEST,
  MANIFEST_REF,
  MANIFEST_TEXT,
  NGINX,
  NGINX_LABEL,
  createClaimWorld,
} from './fakes/claim-world.ts';

const { signal } = new AbortController();
const MANIFEST_SIZE = MANIFEST_TEXT.length;
let clock: ManualClock;
let world: ClaimWorld;

async function start(options?: ClaimWorldOptions): Promise<void> {
  clock = new ManualClock();
  world = createClaimWorld(clock, options);
  world.store.put(MANIFEST_TEXT);
  await world.claims.start({ signal });
  await settle();
}

afterEach(async () => world.claims.stop());

const image = (name: string, digest = MANIFEST) => ({ name, target: { digest, mediaType: OCI_MANIFEST, size: 1 } });

describe('committed()', () => {
  it('learns what a manifest names and, from the label that comes a little later, its source; then asks ahead', async () => {
    await start();
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE);
    world.claims.committed(MANIFEST, MANIFEST_REF);
    await settle();
    expect(world.known.get(LAYER)).toMatchObject({ size: LAYER_SIZE, role: 'layer' });
    expect(world.known.sources(LAYER)).toEqual([]);
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE, NGINX_LABEL);
    await clock.advance(200);
    expect(world.known.sources(LAYER)).toEqual([NGINX]);
    expect(world.content.prepared.slice(-2)).toEqual([
      { digest: CONFIG, size: 10, sources: [NGINX] },
      { digest: LAYER, size: LAYER_SIZE, sources: [NGINX] },
    ]);
  });

  it('makes decide() wait for the manifest being read and its label being looked up', async () => {
    await start();
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE);
    world.claims.committed(MANIFEST, MANIFEST_REF);
    const decided = world.claims.decide(LAYER);
    await settle();
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE, NGINX_LABEL);
    world.content.setRoute(LAYER, 'yes');
    await clock.advance(10);
    expect(await decided).toMatchObject({ digest: LAYER, size: LAYER_SIZE });
  });

  it('prefers names with a port over the label, which has none', async () => {
    await start();
    world.containerd.names.set('k8s.io', [
      image('127.0.0.1:5000/lib/hello:old', digestOf('another')),
      image('sha256:1'),
    ]);
    await clock.advance(11_000);
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE, {
      'containerd.io/distribution.source.127.0.0.1': 'lib/hello,lib/again',
    });
    world.claims.committed(MANIFEST, MANIFEST_REF);
    await clock.advance(200);
    const sources = world.known.sources(LAYER).map(({ registry, repository }) => `${registry}/${repository}`);
    expect(sources.slice(0, 2).toSorted()).toEqual(['127.0.0.1:5000/lib/again', '127.0.0.1:5000/lib/hello']);
    expect(sources).toContain('127.0.0.1/lib/hello');
  });

  it('looks no longer than two seconds for a label that never comes', async () => {
    await start();
    world.claims.committed(MANIFEST, MANIFEST_REF);
    await clock.advance(5000);
    const looks = world.containerd.calls.filter((call) => call === 'content').length;
    expect(looks).toBeGreaterThan(5);
    expect(looks).toBeLessThan(20);
    await clock.advance(60_000);
    expect(world.containerd.calls.filter((call) => call === 'content')).toHaveLength(looks);
  });

  it('reads no layer and takes other text for no manifest', async () => {
    await start();
    const layer = world.store.put('{"schemaVersion": 2}');
    world.claims.committed(layer, `k8s.io/1/layer-${layer}`);
    const text = world.store.put('plain text');
    world.claims.committed(text, 'my upload');
    await clock.advance(1000);
    expect(world.known.refusals).toHaveLength(1);
    expect(world.containerd.calls).not.toContain('content');
  });

  it('learns nothing and calls nobody when nothing is claimed that is not here', async () => {
    await start({ mode: 'local' });
    world.claims.committed(MANIFEST, MANIFEST_REF);
    world.claims.wasRead(MANIFEST);
    await clock.advance(1000);
    expect(world.known.get(LAYER)).toBeUndefined();
    expect(world.containerd.calls).not.toContain('content');
  });
});

describe('siblings', () => {
  it('of a claim given back are left to containerd for a while, so that the next pull meets no other bad claim', async () => {
    await start();
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE, NGINX_LABEL);
    world.claims.committed(MANIFEST, MANIFEST_REF);
    await clock.advance(100);
    world.content.setRoute(CONFIG, 'yes');
    world.content.setRoute(LAYER, 'yes');
    await world.claims.decide(CONFIG);
    world.content.flightOf(CONFIG).fail(new CodedError('NOT_FOUND', 'gone'));
    await settle();
    // containerd fetches the bad one by itself, which says nothing of the others.
    world.claims.committed(CONFIG, `k8s.io/8/config-${CONFIG}`);
    expect(await world.claims.decide(LAYER)).toBeUndefined();
    await clock.advance(10 * 60_000 + 1000);
    expect((await world.claims.decide(LAYER))?.digest).toBe(LAYER);
  }, 20_000);
});

describe('wasRead()', () => {
  it('learns a manifest that is read again, in whatever namespace it is listed, once a minute', async () => {
    await start();
    world.containerd.record('moby', MANIFEST, MANIFEST_SIZE, NGINX_LABEL);
    for (let read = 0; read < 5; read += 1) {
      world.claims.wasRead(MANIFEST);
      await clock.advance(100);
    }
    expect(world.known.sources(LAYER)).toEqual([NGINX]);
    expect(world.containerd.calls.filter((call) => call === 'content')).toHaveLength(2);
  });
});

describe('start()', () => {
  it('learns sizes and sources of images whose manifests are on this disk, and asks no source about them', async () => {
    await start();
    await world.claims.stop();
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: MANIFEST, size: MANIFEST_SIZE }],
    });
    world.store.put(index);
    world.containerd.names.set('k8s.io', [image('docker.io/library/nginx:1', digestOf(index)), image('gone:1', LAYER)]);
    world = world.restarted();
    await world.claims.start({ signal });
    await settle();
    expect(world.known.get(LAYER)).toMatchObject({ size: LAYER_SIZE, role: 'layer' });
    expect(world.known.sources(MANIFEST)).toEqual([NGINX]);
    expect(world.content.prepared).toEqual([]);
  });

  it('learns manifests of a pull that was interrupted, which no image names yet', async () => {
    await start();
    await world.claims.stop();
    const labels = { ...NGINX_LABEL, 'containerd.io/gc.ref.content.config': CONFIG };
    world.containerd.record('k8s.io', MANIFEST, MANIFEST_SIZE, labels);
    world = world.restarted();
    await world.claims.start({ signal });
    await settle();
    expect(world.known.get(LAYER)?.role).toBe('layer');
    expect(world.known.sources(LAYER)).toEqual([NGINX]);
  });
});
