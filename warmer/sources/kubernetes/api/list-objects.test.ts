import { describe, expect, it } from '@jest/globals';
import { type ClientSetup, DEPLOYMENTS, setUpClient } from '../../../../test/support/kubernetes/client-setup.ts';
import { listOf, type SeenRequest } from '../../../../test/support/kubernetes/stand-in.ts';
import { listObjects } from './list-objects.ts';
import { listingsOf } from './resource.ts';

const KINDS = [DEPLOYMENTS];
const LIST = listOf(DEPLOYMENTS);
const { signal } = new AbortController();
const [LISTING] = listingsOf(DEPLOYMENTS, { namespaces: [], selector: 'app=web' });

async function filled(count: number, size = 0): Promise<ClientSetup> {
  const setup = await setUpClient(KINDS);
  for (let index = 0; index < count; index += 1) {
    setup.server.store.set(LIST, { metadata: { name: `d-${index}`, namespace: 'shop' }, text: 'x'.repeat(size) });
  }
  return setup;
}

async function pagesOf({ client }: ClientSetup) {
  const pages: { count: number; isFirst: boolean; resourceVersion: string; first: unknown }[] = [];
  if (LISTING === undefined) throw new Error('no listing');
  for await (const { objects, isFirst, resourceVersion } of listObjects(client, LISTING, { signal })) {
    pages.push({ count: objects.length, isFirst, resourceVersion, first: objects[0] });
  }
  return pages;
}

describe('listObjects()', () => {
  it('gives pages of typed objects, and asks for each with the token of the one before', async () => {
    await using setup = await filled(125);
    const pages = await pagesOf(setup);
    expect(pages.map(({ count, isFirst }) => [count, isFirst])).toEqual([
      [50, true],
      [50, false],
      [25, false],
    ]);
    expect(pages[0]?.first).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd-0' } });
    expect(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size).toBe(1);
    const queries = setup.server.requests.map(({ query }) => [
      query.get('labelSelector'),
      query.get('continue') !== null,
    ]);
    expect(queries).toEqual([
      ['app=web', false],
      ['app=web', true],
      ['app=web', true],
    ]);
  });

  it('begins anew when a token has expired, and says so', async () => {
    await using setup = await filled(125);
    const isThird = (_: SeenRequest) => setup.server.requests.length === 3;
    setup.server.fault(isThird, { kind: 'status', status: 410 });
    const pages = await pagesOf(setup);
    expect(pages.map(({ count, isFirst }) => [count, isFirst])).toEqual([
      [50, true],
      [50, false],
      [50, true],
      [50, false],
      [25, false],
    ]);
  });

  it('gives up when tokens never last', async () => {
    await using setup = await filled(125);
    setup.server.fault(({ query }) => query.has('continue'), { kind: 'status', status: 410 }, 100);
    await expect(pagesOf(setup)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(setup.server.requests).toHaveLength(8);
  });

  it('asks for fewer objects when they are so large that a page is too long', async () => {
    await using setup = await filled(40, 1024 * 1024);
    const pages = await pagesOf(setup);
    expect(pages.reduce((sum, { count }) => sum + count, 0)).toBe(40);
    const limits = setup.server.requests.map(({ query }) => query.get('limit'));
    expect(limits.slice(0, 2)).toEqual(['50', '13']);
    // Smaller pages stay small.
    expect(new Set(limits.slice(2))).toEqual(new Set(['13']));
  });

  it('refuses what is no list', async () => {
    await using setup = await filled(1);
    setup.server.fault(() => true, { kind: 'text', text: '{"kind":"Status","status":"Success"}' });
    await expect(pagesOf(setup)).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });
});
