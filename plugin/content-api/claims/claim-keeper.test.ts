import { afterEach, describe, expect, it } from '@jest/globals';
import { CodedError } from '../../../core/runtime/errors.ts';
import { ManualClock, settle } from '../../content/fakes/manual-clock.ts';
import { CLAIM_BOUND_MS, LATE_CLAIM_MS } from '../claims.ts';
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

describe('decide()', () => {
  it('claims a layer with a route: the file is there, the flight runs, containerd holds it when it is whole', async () => {
    const world = await start({ giveUpMs: 1234 });
    knowLayer(world);
    const claim = await world.claims.decide(LAYER);
    expect(claim).toEqual({ digest: LAYER, size: LAYER_SIZE, sources: [NGINX], claimedAtMs: clock.now() });
    expect(world.store.files.get(LAYER)).toEqual(claim);
    expect(world.claims.claim(LAYER)).toEqual(claim);
    expect([...world.claims.claims()]).toEqual([claim]);
    expect(world.content.flightOf(LAYER).giveUpMs).toBe(1234);
    expect(await world.count('shoal_claims_total{answer="fleet"}')).toBe(1);
    world.content.flightOf(LAYER).land();
    await settle();
    expect(world.store.files.size).toBe(0);
    expect(world.claims.claim(LAYER)).toBeUndefined();
  });

  it('refuses what no manifest names, at once', async () => {
    const world = await start();
    expect(await world.claims.decide(LAYER)).toBeUndefined();
    expect(await world.count('shoal_claims_total{answer="no"}')).toBe(1);
    expect(world.content.prepared).toEqual([]);
  });

  it('refuses without containerd, with containerd away, and in local and off mode', async () => {
    for (const options of [{ hasNoContainerd: true }, { mode: 'local' }, { mode: 'off' }, {}] as const) {
      const world = await start(options);
      if (Object.keys(options).length === 0) world.containerd.goAway();
      knowLayer(world);
      expect(await world.claims.decide(LAYER)).toBeUndefined();
      expect(world.content.flights).toEqual([]);
    }
  });

  it('shares one answer among questions at the same time', async () => {
    const world = await start();
    knowLayer(world);
    world.content.setRoute(LAYER, 'asking');
    const answers = Promise.all([world.claims.decide(LAYER), world.claims.decide(LAYER), world.claims.decide(LAYER)]);
    await settle();
    world.content.setRoute(LAYER, 'yes');
    const [first, ...others] = await answers;
    expect(first?.digest).toBe(LAYER);
    for (const other of others) expect(other).toBe(first);
    expect(world.content.flights).toHaveLength(1);
  });

  it('waits for sources that are being asked, and answers as soon as they have', async () => {
    const world = await start();
    knowLayer(world);
    world.content.setRoute(LAYER, 'asking');
    const decided = world.claims.decide(LAYER);
    await settle();
    world.content.setRoute(LAYER, 'no');
    expect(await decided).toBeUndefined();
    expect(await world.count('shoal_claims_total{answer="no"}')).toBe(1);
  });

  it('answers within the bound when the sources never settle', async () => {
    const world = await start();
    knowLayer(world);
    world.content.setRoute(LAYER, 'asking');
    let answer: unknown = 'none yet';
    void world.claims.decide(LAYER).then((claim) => {
      answer = claim;
    });
    await settle();
    expect(answer).toBe('none yet');
    await clock.advance(CLAIM_BOUND_MS - 10);
    expect(answer).toBeUndefined();
    expect(await world.count('shoal_claims_total{answer="timeout"}')).toBe(1);
    world.content.setRoute(LAYER, 'yes');
    expect((await world.claims.decide(LAYER))?.digest).toBe(LAYER);
  });

  it('leaves a blob that became whole meanwhile to the disk', async () => {
    const world = await start();
    const digest = world.store.put('whole', 'cache');
    expect(await world.claims.decide(digest)).toBeUndefined();
    expect(world.claims.givesLocal(digest)).toBe(true);
    expect(await world.count('shoal_claims_total{answer="local"}')).toBe(1);
    expect(await world.count('shoal_claims_total{answer="no"}')).toBe(0);
  });

  it('makes no claim that cannot be written', async () => {
    const world = await start();
    knowLayer(world);
    world.store.writeFailure = new CodedError('RESOURCE_EXHAUSTED', 'Disk is full');
    expect(await world.claims.decide(LAYER)).toBeUndefined();
    expect(world.claims.claim(LAYER)).toBeUndefined();
    expect(world.content.flights).toEqual([]);
    expect(await world.count('shoal_claims_total{answer="no"}')).toBe(1);
  });
});

describe('decideLate()', () => {
  const write = { ref: `k8s.io/3/layer-${LAYER}`, total: LAYER_SIZE };

  /** `Info` has run out of time for the layer. */
  async function outOfTime(): Promise<ClaimWorld> {
    const world = await start();
    knowLayer(world);
    world.content.setRoute(LAYER, 'asking');
    const decided = world.claims.decide(LAYER);
    await settle();
    await clock.advance(CLAIM_BOUND_MS);
    expect(await decided).toBeUndefined();
    return world;
  }

  it('claims what is answered before the Write begins, and counts it', async () => {
    const world = await outOfTime();
    const late = world.claims.decideLate(write, { signal });
    await settle();
    await clock.advance(LATE_CLAIM_MS - 1);
    world.content.setRoute(LAYER, 'yes');
    expect(await late).toMatchObject({ digest: LAYER, size: LAYER_SIZE });
    expect(world.store.files.has(LAYER)).toBe(true);
    expect(await world.count('shoal_claims_total{answer="fleet"}')).toBe(1);
    expect(await world.count('shoal_claims_total{answer="timeout"}')).toBe(1);
  });

  it('gives what became whole here meanwhile', async () => {
    const world = await outOfTime();
    const late = world.claims.decideLate(write, { signal });
    await settle();
    world.store.put('layer', 'cache');
    world.content.setRoute(LAYER, 'yes');
    expect(await late).toBeUndefined();
    const other = await outOfTime();
    other.store.put('layer', 'cache');
    expect(await other.claims.decideLate({ ref: write.ref, total: 'layer'.length }, { signal })).toEqual({
      digest: LAYER,
      size: 'layer'.length,
    });
    expect(other.content.flights).toEqual([]);
  });

  it('leaves it to containerd at the end of the bound, and what else the image has at once', async () => {
    const world = await outOfTime();
    world.known.learnManifest(MANIFEST, Buffer.from(MANIFEST_TEXT));
    world.store.put(MANIFEST_TEXT, 'containerd');
    world.claims.committed(MANIFEST, MANIFEST_REF);
    await settle();
    const late = world.claims.decideLate(write, { signal });
    await settle();
    await clock.advance(LATE_CLAIM_MS);
    expect(await late).toBeUndefined();
    expect(world.content.flights).toEqual([]);

    world.content.setRoute(CONFIG, 'asking');
    const config = world.claims.decide(CONFIG);
    await settle();
    await clock.advance(CLAIM_BOUND_MS);
    expect(await config).toBeUndefined();
    expect(await world.claims.decideLate({ ref: `k8s.io/4/config-${CONFIG}`, total: 10 }, { signal })).toBeUndefined();
  });

  it('does not ask again about what Info decided in time, nor twice', async () => {
    const world = await start();
    knowLayer(world);
    world.content.setRoute(LAYER, 'no');
    expect(await world.claims.decide(LAYER)).toBeUndefined();
    world.content.setRoute(LAYER, 'yes');
    expect(await world.claims.decideLate(write, { signal })).toBeUndefined();

    const other = await outOfTime();
    other.content.setRoute(LAYER, 'no');
    expect(await other.claims.decideLate(write, { signal })).toBeUndefined();
    other.content.setRoute(LAYER, 'yes');
    expect(await other.claims.decideLate(write, { signal })).toBeUndefined();
  });

  it('ends when the Write does', async () => {
    const world = await outOfTime();
    const over = new AbortController();
    const late = world.claims.decideLate(write, { signal: over.signal });
    await settle();
    over.abort();
    expect(await late).toBeUndefined();
    world.content.setRoute(LAYER, 'yes');
    expect(world.claims.claim(LAYER)).toBeUndefined();
  });

  it.each([
    ['of another size', { ref: write.ref, total: LAYER_SIZE + 1 }],
    ['without a digest in its ref', { ref: 'k8s.io/3/import', total: LAYER_SIZE }],
  ])('claims nothing for a Write %s', async (_, odd) => {
    const world = await outOfTime();
    world.content.setRoute(LAYER, 'yes');
    expect(await world.claims.decideLate(odd, { signal })).toBeUndefined();
    expect(world.content.flights).toEqual([]);
  });
});

describe('keeping a claim', () => {
  it('starts another flight after a passing failure', async () => {
    const world = await claimed();
    world.content.flightOf(LAYER).fail(new CodedError('UNAVAILABLE', 'registry is away'));
    await clock.advance(1000);
    expect(world.content.flights).toHaveLength(2);
    expect(world.claims.claim(LAYER)?.digest).toBe(LAYER);
    world.content.flightOf(LAYER).land();
    await settle();
    expect(world.store.files.size).toBe(0);
    expect(world.containerd.deletions).toEqual([]);
  });

  it('lasts as long as new bytes come, however often flights fail', async () => {
    const world = await claimed({ giveUpMs: 3000 });
    for (let round = 1; round <= 5; round += 1) {
      await clock.advance(2000);
      world.content.flightOf(LAYER).progress.bytesPresent = round * 100;
      world.content.flightOf(LAYER).progress.lastByteAtMs = clock.now();
      world.content.flightOf(LAYER).fail(new CodedError('UNAVAILABLE', 'line is bad'));
      await clock.advance(8000);
      expect(world.content.flights).toHaveLength(round + 1);
    }
    await clock.advance(3000);
    world.content.flightOf(LAYER).fail(new CodedError('UNAVAILABLE', 'no new byte'));
    await settle();
    expect(world.claims.claim(LAYER)).toBeUndefined();
  });

  it('waits as long as it takes for a place among many downloads', async () => {
    const world = await claimed({ giveUpMs: 3000 });
    for (let round = 1; round <= 5; round += 1) {
      const flight = world.content.flightOf(LAYER);
      flight.hadNoPlace = true;
      flight.fail(new CodedError('RESOURCE_EXHAUSTED', 'as many as may run are running'));
      await clock.advance(6000);
      expect(world.content.flights).toHaveLength(round + 1);
    }
    await clock.advance(3000);
    world.content.flightOf(LAYER).fail(new CodedError('UNAVAILABLE', 'no new byte'));
    await settle();
    expect(world.claims.claim(LAYER)).toBeUndefined();
  });

  it('ends with released(), and the flight is not wanted any more', async () => {
    const world = await claimed();
    world.claims.released(LAYER);
    expect(world.store.files.size).toBe(0);
    expect(world.content.unwanted).toEqual([LAYER]);
    world.content.flightOf(LAYER).fail(new CodedError('CANCELLED', 'nobody wants it'));
    await clock.advance(60_000);
    expect(world.containerd.deletions).toEqual([]);
    expect(world.content.flights).toHaveLength(1);
  });

  it('is taken up again after a restart, without containerd', async () => {
    const first = await claimed();
    await first.claims.stop();
    first.containerd.goAway();
    const second = await startWorld(first.restarted());
    expect(second.claims.claim(LAYER)?.size).toBe(LAYER_SIZE);
    expect(second.content.flightOf(LAYER).want.sources).toEqual([NGINX]);
    second.content.flightOf(LAYER).land();
    await settle();
    expect(second.store.files.size).toBe(0);
  });

  it('is not given back when the daemon stops', async () => {
    const world = await claimed();
    await world.claims.stop();
    world.content.flightOf(LAYER).fail(new CodedError('NOT_FOUND', 'gone'));
    await settle();
    expect(world.store.files.has(LAYER)).toBe(true);
    expect(world.containerd.deletions).toEqual([]);
  });
});

describe('giving a claim back', () => {
  const gone = new CodedError('NOT_FOUND', 'No source can bring it');

  it('deletes it in every namespace, ends the claim, and does not claim it again until it was whole', async () => {
    const world = await claimed();
    world.containerd.record('moby', LAYER, LAYER_SIZE);
    world.content.flightOf(LAYER).fail(gone);
    await settle();
    expect(world.claims.claim(LAYER)).toBeUndefined();
    expect([...world.claims.claims()]).toEqual([]);
    expect(world.containerd.deletions.map(({ namespace }) => namespace)).toEqual(['k8s.io', 'moby']);
    expect(await world.claims.decide(LAYER)).toBeUndefined();
    await clock.advance(40_000);
    expect(world.store.files.size).toBe(0);
    expect(await world.count('shoal_claims_given_back_total')).toBe(1);
    expect(await world.claims.decide(LAYER)).toBeUndefined();
    world.claims.committed(LAYER, `k8s.io/9/layer-${LAYER}`);
    expect((await world.claims.decide(LAYER))?.digest).toBe(LAYER);
  });

  it('finds a record that containerd writes after the first looks', async () => {
    const world = await start();
    knowLayer(world);
    await world.claims.decide(LAYER);
    world.content.flightOf(LAYER).fail(gone);
    await clock.advance(1000);
    expect(world.containerd.deletions).toEqual([]);
    world.containerd.record('k8s.io', LAYER, LAYER_SIZE);
    await clock.advance(30_000);
    expect(world.containerd.isListed(LAYER)).toBe(false);
    expect(world.store.files.size).toBe(0);
  });

  it('leaves a blob alone that containerd has fetched by itself meanwhile', async () => {
    const world = await claimed();
    world.content.flightOf(LAYER).fail(gone);
    await settle();
    expect(world.containerd.deletions).toHaveLength(1);
    world.store.blobs.set(LAYER, { bytes: Buffer.alloc(LAYER_SIZE), holds: new Set(['containerd']) });
    world.containerd.record('k8s.io', LAYER, LAYER_SIZE);
    await clock.advance(40_000);
    expect(world.containerd.isListed(LAYER)).toBe(true);
    expect(world.store.files.size).toBe(0);
  });

  it('waits for containerd when it is away, and keeps the file until then', async () => {
    const world = await claimed();
    world.containerd.goAway();
    world.content.flightOf(LAYER).fail(gone);
    await clock.advance(120_000);
    expect(world.store.files.has(LAYER)).toBe(true);
    expect(await world.count('shoal_claims_given_back_total')).toBe(0);
    world.containerd.comeBack();
    await settle();
    expect(world.containerd.isListed(LAYER)).toBe(false);
    await clock.advance(40_000);
    expect(world.store.files.size).toBe(0);
  });

  it('tries again when a call fails', async () => {
    const world = await claimed();
    let failures = 0;
    world.containerd.onCall = (call) => {
      if (call !== 'deleteContent' || failures >= 2) return;
      failures += 1;
      throw new CodedError('UNAVAILABLE', 'Deadline exceeded');
    };
    world.content.flightOf(LAYER).fail(gone);
    await clock.advance(10_000);
    expect(failures).toBe(2);
    expect(world.containerd.isListed(LAYER)).toBe(false);
  });

  it('goes on after a restart in the middle of it', async () => {
    const first = await claimed();
    first.containerd.goAway();
    first.content.flightOf(LAYER).fail(gone);
    await settle();
    await first.claims.stop();
    const second = await startWorld(first.restarted());
    second.content.flightOf(LAYER).fail(gone);
    first.containerd.comeBack();
    await clock.advance(40_000);
    expect(first.containerd.isListed(LAYER)).toBe(false);
    expect(first.store.files.size).toBe(0);
  });
});
