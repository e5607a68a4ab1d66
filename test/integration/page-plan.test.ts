/** From a Deployment's file to the page: the warmer runs, tells its node, and the page shows the event as warm as it is. */
import { expect, it } from '@jest/globals';
import { chromiumUnavailable, startChromium } from '../support/chromium/chromium.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { startSeedFleet } from '../support/seed/seed-fleet.ts';
import { testImage } from '../support/test-image.ts';
import { deployment, setUpWarmer } from '../support/warm/warmer-setup.ts';

const DEADLINE_MS = 90_000;

const reason = chromiumUnavailable();
if (reason !== undefined) process.stderr.write(`page-plan: skipped, ${reason}\n`);

(reason === undefined ? it : it.skip)(
  'a run of the warmer appears on the page of its node',
  async () => {
    await using registry = await FakeRegistry.start();
    registry.put('shop/web', await testImage({ seed: 'page-plan', layerCount: 1, layerSizeBytes: 2 ** 20 }), 'v1');
    const reference = `${registry.host}/shop/web:v1`;
    await using fleet = await startSeedFleet({ registry });
    const [node] = fleet.nodes;
    const url = node?.url ?? '';
    await using warmer = await setUpWarmer({ admin: url.replace('http://', ''), registries: [registry] });
    await warmer.write('web.yaml', deployment('web', reference, { scaler: true }));
    await using chromium = await startChromium();
    const opened = await chromium.open(`${url}/`);
    await opened.page.waitForFunction(() =>
      document.querySelector('#events')?.textContent?.includes('No warmer has told'),
    );
    // A plan alone moves nothing, and tells nobody.
    expect((await warmer.warm('plan')).code).toBe(0);
    expect(JSON.parse(await (await fetch(`${url}/api/v1/plan`)).text())).toEqual({ plan: null });

    expect((await warmer.warm('run')).code).toBe(0);
    const { plan } = JSON.parse(await (await fetch(`${url}/api/v1/plan`)).text());
    expect(plan).toMatchObject({
      images: [{ ref: reference, nodes_wanted: 3, nodes_warm: 3 }],
      run: { fetched: 3, failed: 0 },
    });
    await opened.page.waitForSelector('#events tbody tr');
    expect(await opened.text('#events tbody tr')).toMatch(/shop\/web.*ScaledObject, to 30 replicas, 1 image.*warm/);
    expect(await opened.text('#events .badge.good')).toBe('warm');
    expect(opened.problems).toEqual([]);
  },
  DEADLINE_MS,
);
