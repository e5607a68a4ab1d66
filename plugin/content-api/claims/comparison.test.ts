import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../core/oci/digest.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { ManualClock, settle } from '../../content/fakes/manual-clock.ts';
import {
  type ClaimWorld,
  type ClaimWorldOptions,
  LAYER,
  LAYER_SIZE,
  NGINX,
  createClaimWorld,
  knowLayer,
} from './fakes/claim-world.ts';

const { signal } = new AbortController();
const started: ClaimWorld[] = [];
let clock: ManualClock;

afterEach(async () => {
  for (const world of started.splice(0)) await world.claims.stop();
});

async function start(options?: ClaimWorldOptions): Promise<ClaimWorld> {
  clock = new ManualClock();
  return startWorld(createClaimWorld(clock, options));
}

async function startWorld(world: ClaimWorld): Promise<ClaimWorld> {
  started.push(world);
  await world.claims.start({ signal });
  await settle();
  return world;
}

/** A claim that stands and that containerd has recorded. */
async function claimed(options?: ClaimWorldOptions): Promise<ClaimWorld> {
  const world = await start(options);
  knowLayer(world);
  await world.claims.decide(LAYER);
  world.containerd.record('k8s.io', LAYER, LAYER_SIZE);
  return world;
}

describe('comparing with containerd', () => {
  it('links what is here again, claims what can be had, gives back what cannot, when containerd connects', async () => {
    const world = await start();
    const cached = world.store.put('cached', 'cache');
    const lost = digestOf('lost');
    const had = digestOf('had');
    world.containerd.record('k8s.io', cached, 6);
    world.containerd.record('k8s.io', lost, 4);
    world.containerd.record('k8s.io', had, 3, { 'containerd.io/distribution.source.docker.io': 'library/nginx' });
    world.content.setRoute(had, 'yes');
    world.containerd.comeBack();
    await settle();
    await clock.advance(200);
    expect(world.store.stat(cached)?.holds.has('containerd')).toBe(true);
    expect(world.claims.claim(had)).toMatchObject({ size: 3, sources: [NGINX] });
    expect(world.content.flightOf(had).want.size).toBe(3);
    expect(world.containerd.deletions).toEqual([{ namespace: 'k8s.io', digest: lost }]);
  });

  it('does nothing on a list that was interrupted', async () => {
    const world = await start();
    world.containerd.record('k8s.io', digestOf('lost'), 4);
    world.containerd.record('moby', digestOf('other'), 4);
    let lists = 0;
    world.containerd.onCall = (call) => {
      if (call !== 'contents') return;
      lists += 1;
      if (lists === 2) throw new CodedError('UNAVAILABLE', 'Connection broke');
    };
    world.containerd.comeBack();
    await clock.advance(1000);
    expect(lists).toBe(2);
    expect(world.containerd.deletions).toEqual([]);
  });

  it('spares a blob that was committed while the lists were read', async () => {
    const world = await start();
    const written = digestOf('written');
    world.containerd.record('k8s.io', written, 7);
    world.content.setRoute(written, 'asking');
    world.containerd.comeBack();
    await settle();
    world.store.put('written');
    world.content.setRoute(written, 'no');
    await clock.advance(40_000);
    expect(world.containerd.deletions).toEqual([]);
  });

  it('gives nothing back when the manifests are missing too: this is not the directory that containerd wrote to', async () => {
    const world = await start();
    const labels = { 'containerd.io/gc.ref.content.config': LAYER };
    for (let at = 0; at < 5; at += 1) world.containerd.record('k8s.io', digestOf(`lost ${at}`), 4, labels);
    world.containerd.comeBack();
    await clock.advance(1000);
    expect(world.containerd.deletions).toEqual([]);
  });

  it('gives every lost layer back, however many', async () => {
    const world = await start();
    for (let at = 0; at < 30; at += 1) world.containerd.record('k8s.io', digestOf(`lost ${at}`), 4);
    world.containerd.comeBack();
    await clock.advance(1000);
    expect(world.containerd.deletions.length).toBe(30);
  });

  it('ends old claims that containerd does not list, from time to time', async () => {
    const world = await start();
    knowLayer(world);
    await world.claims.decide(LAYER);
    await clock.advance(9 * 60_000);
    expect(world.store.files.has(LAYER)).toBe(true);
    await clock.advance(7 * 60_000);
    expect(world.store.files.has(LAYER)).toBe(false);
    expect(world.content.unwanted).toEqual([LAYER]);
  }, 20_000);

  it('keeps one that containerd has asked for again', async () => {
    const world = await start();
    knowLayer(world);
    await world.claims.decide(LAYER);
    await clock.advance(9 * 60_000);
    expect(world.claims.asked(LAYER)?.digest).toBe(LAYER);
    await clock.advance(7 * 60_000);
    expect(world.store.files.has(LAYER)).toBe(true);
    await clock.advance(10 * 60_000);
    expect(world.store.files.has(LAYER)).toBe(false);
  }, 20_000);

  it('finds a record that came long after its claim was given back', async () => {
    const world = await claimed();
    world.content.flightOf(LAYER).fail(new CodedError('NOT_FOUND', 'gone'));
    await clock.advance(40_000);
    world.containerd.record('k8s.io', LAYER, LAYER_SIZE);
    await clock.advance(5 * 60_000);
    expect(world.containerd.isListed(LAYER)).toBe(false);
  });
});
