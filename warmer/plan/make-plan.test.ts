import { describe, expect, it } from '@jest/globals';
import { ANYWHERE } from '../sources/extract/pod-constraints.ts';
import { makePlan } from './make-plan.ts';
import { blob, blobsFor, event, image, input, NOW, node, OPTIONS, workload } from './plan-fixtures.ts';

const HOUR_MS = 3_600_000;
/** Index, manifest and config of the fixtures' images. */
const OVERHEAD = 3;
const nodesOf = (plan: ReturnType<typeof makePlan>) =>
  Object.fromEntries(plan.nodes.map(({ name, images, bytesMissing }) => [name, [images.length, bytesMissing]]));

describe('makePlan()', () => {
  it('sends each image only where its workloads may run', () => {
    const [web, gpu] = [image('web'), image('gpu')];
    const nodes = [
      node('a'),
      node('b', { labels: { gpu: 'yes' } }),
      node('c', { taints: [{ key: 'x', value: '', effect: 'NoExecute' }] }),
    ];
    const workloads = [workload('web', [web]), workload('gpu', [gpu], { nodeSelector: { gpu: 'yes' } })];
    const plan = makePlan(input({ images: [web, gpu], workloads, nodes }), OPTIONS);
    expect(plan.nodes.map(({ images }) => images)).toEqual([[web.reference], [gpu.reference, web.reference], []]);
    expect(plan.totals).toMatchObject({
      images: 2,
      bytesToMove: 3 * (100 + OVERHEAD),
      upstreamBytes: 2 * (100 + OVERHEAD),
    });
  });

  it('counts a layer that two images share once on each node, and nothing that is there', () => {
    const shared = blob('base', 1000);
    const [one, two] = [image('one', [shared, blob('top one', 10)]), image('two', [shared, blob('top two', 20)])];
    const nodes = [
      node('empty'),
      node('base', { holds: new Set([shared.digest]) }),
      node('full', { holds: new Set([...blobsFor(one), ...blobsFor(two)]) }),
    ];
    const plan = makePlan(input({ images: [one, two], workloads: [workload('w', [one, two])], nodes }), OPTIONS);
    expect(nodesOf(plan)).toEqual({ empty: [2, 1030 + 2 * OVERHEAD], base: [2, 30 + 2 * OVERHEAD], full: [2, 0] });
    expect(plan.totals.uniqueBytes).toBe(1030 + 2 * OVERHEAD);
    expect(plan.totals.upstreamBytes).toBe(0);
  });

  it('takes the manifest of each node’s own platform', () => {
    const only = image('only');
    const amdOnly = { ...image('amd-only'), variants: image('amd-only').variants.slice(0, 1) };
    const nodes = [node('amd'), node('arm', { arm: true })];
    const workloads = [workload('w', [only, amdOnly])];
    const plan = makePlan(input({ images: [only, amdOnly], workloads, nodes }), OPTIONS);
    expect(plan.images.map(({ platforms }) => platforms)).toEqual([['linux/amd64'], ['linux/amd64', 'linux/arm64']]);
    expect(plan.nodes.map(({ images }) => images.length)).toEqual([2, 1]);
    expect(plan.images[1]?.bytes).toBe(100 + 5);
  });

  it('says why no node can run an image, and where it is named', () => {
    const web = image('web');
    const workloads = [workload('web', [web], { nodeSelector: { disk: 'ssd' } })];
    const nodes = [node('a'), node('b')];
    const plan = makePlan(input({ images: [web], workloads, nodes }), OPTIONS);
    expect(plan.unresolved).toEqual([
      {
        file: 'web.yaml',
        line: 9,
        document: 1,
        value: web.reference,
        reason: 'No node can run it: node selector keeps it off 2 nodes',
      },
    ]);
  });

  it('puts every node under mode "all", whatever the workloads say', () => {
    const web = image('web');
    const workloads = [workload('web', [web], { nodeSelector: { disk: 'ssd' } })];
    const nodes = [node('a'), node('b', { taints: [{ key: 'x', value: '', effect: 'NoSchedule' }] })];
    const plan = makePlan(input({ images: [web], workloads, nodes }), { ...OPTIONS, mode: 'all' });
    expect(plan.nodes.every(({ images }) => images.length === 1)).toBe(true);
  });

  it('gives the room of a small node to the image that is needed first', () => {
    const [late, soon] = [image('a-late'), image('z-soon')];
    const [first, second] = [workload('late', [late]), workload('soon', [soon])];
    const events = [event(second, NOW + HOUR_MS), event(first, NOW + 2 * HOUR_MS)];
    const nodes = [node('small', { freeBytes: 150 }), node('large')];
    const plan = makePlan(input({ images: [late, soon], workloads: [first, second], events, nodes }), OPTIONS);
    expect(plan.images.map(({ reference }) => reference)).toEqual([soon.reference, late.reference]);
    expect(plan.nodes[0]?.images).toEqual([soon.reference]);
    expect(plan.unresolved).toMatchObject([{ value: late.reference, reason: 'No room on "small"' }]);
    const capped = makePlan(input({ images: [soon], workloads: [second], nodes }), { ...OPTIONS, maxBytesPerNode: 50 });
    expect(capped.totals.bytesToMove).toBe(0);
  });

  it('starts early enough for the bytes at the expected rate, or by the default lead', () => {
    const web = image('web', [blob('big', 60_000 - OVERHEAD)]);
    const uses = workload('web', [web]);
    const given = input({
      images: [web],
      workloads: [uses],
      events: [event(uses, NOW + HOUR_MS)],
      nodes: [node('a'), node('b')],
    });
    const begin = (plan: ReturnType<typeof makePlan>) => (NOW + HOUR_MS - (plan.events[0]?.startByMs ?? 0)) / 1000;
    expect(begin(makePlan(given, { ...OPTIONS, bytesPerSecond: 1000 }))).toBe(300 + 120);
    expect(begin(makePlan(given, OPTIONS))).toBe(300 + 600);
    const warm = [node('a', { holds: new Set(blobsFor(web)) })];
    expect(begin(makePlan({ ...given, nodes: warm }, OPTIONS))).toBe(300);
    const unresolved = { reference: web.reference, digest: undefined, indexes: [], variants: [] };
    expect(begin(makePlan({ ...given, images: [unresolved] }, { ...OPTIONS, bytesPerSecond: 1000 }))).toBe(300 + 600);
  });

  it('plans images that were not resolved, without bytes', () => {
    const unresolved = { reference: 'registry.example/web:1', digest: undefined, indexes: [], variants: [] };
    const plan = makePlan(
      input({ images: [unresolved], workloads: [workload('web', [unresolved])], nodes: [node('a')] }),
      OPTIONS,
    );
    expect(plan.images[0]).toMatchObject({ digest: undefined, bytes: undefined, platforms: ['linux/amd64'] });
    expect(plan.nodes[0]).toMatchObject({ images: [unresolved.reference], bytesMissing: 0 });
  });

  it('asks for the images that only an event names on the nodes of its targets', () => {
    const coming = image('coming');
    const target = { ...workload('blog', []), pod: { ...ANYWHERE, nodeSelector: { blog: 'yes' } } };
    const announced = { ...event(target, NOW), images: [coming.reference] };
    const nodes = [node('a'), node('b', { labels: { blog: 'yes' } })];
    const plan = makePlan(input({ images: [coming], workloads: [target], events: [announced], nodes }), OPTIONS);
    expect(plan.nodes.map(({ images }) => images.length)).toEqual([0, 1]);
  });
});

describe('makePlan() with copies', () => {
  const fleet = ['a', 'b', 'c'].flatMap((zone) => [1, 2, 3, 4].map((number) => node(`${zone}${number}`, { zone })));
  const web = image('web');
  const options = { ...OPTIONS, mode: 'copies', copies: 3 } as const;
  const chosen = (given: Parameters<typeof input>[0], copies = 3) =>
    makePlan(input({ images: [web], workloads: [workload('w', [web])], nodes: fleet, ...given }), {
      ...options,
      copies,
    })
      .nodes.filter(({ images }) => images.length > 0)
      .map(({ name }) => name);

  it('spreads them over zones, always the same way', () => {
    expect(
      chosen({})
        .map((name) => name[0])
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(chosen({})).toEqual(chosen({ nodes: fleet.toReversed() }).reverse());
    expect(chosen({}, 5)).toHaveLength(5);
    expect(
      new Set(['web', 'x', 'y', 'z'].map((name) => chosen({ images: [image(name)], workloads: [] }).join())).size,
    ).toBeGreaterThan(1);
  });

  it('counts a copy that is there, and passes over nodes without room', () => {
    const nodes = fleet.map((one) => (one.name === 'b3' ? { ...one, holds: new Set(blobsFor(web)) } : one));
    expect(chosen({ nodes })).toContain('b3');
    const tight = fleet.map((one) => (one.name.endsWith('4') ? one : { ...one, freeBytes: 10 }));
    expect(chosen({ nodes: tight })).toEqual(['a4', 'b4', 'c4']);
  });

  it('prefers the nodes that the workload prefers', () => {
    const nodes = fleet.map((one) => ({ ...one, labels: one.name.endsWith('2') ? { fast: '' } : {} }));
    const term = { labels: [{ key: 'fast', operator: 'Exists', values: [] }], fields: [], weight: 10 };
    const workloads = [workload('w', [web], { preferredNodeTerms: [term] })];
    expect(chosen({ nodes, workloads })).toEqual(['a2', 'b2', 'c2']);
  });

  it('tells when there are fewer', () => {
    const plan = makePlan(
      input({ images: [web], workloads: [workload('w', [web])], nodes: fleet.slice(0, 2) }),
      options,
    );
    expect(plan.unresolved[0]?.reason).toMatch(/^Only 2 of 3 copies/);
  });
});
