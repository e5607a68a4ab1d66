/** The web page in a real Chromium, of real nodes: a swarm under way, what the warmer tells, both colour schemes, and those without a token. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { type Chromium, type OpenPage, chromiumUnavailable, startChromium } from '../support/chromium/chromium.ts';
import { eventually } from '../support/debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type SlowDoor, openSlowDoor } from '../support/docker-registry/slow-door.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { freePort } from '../support/debian/free-port.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { testImage } from '../support/test-image.ts';

const NODES = 3;
const TOKEN = 'page-test-token';
const DEADLINE_MS = 120_000;
/** Slow enough for a swarm to be looked at. */
const REGISTRY_BYTES_PER_SECOND = 4 * 1024 * 1024;

const reason = chromiumUnavailable();
if (reason !== undefined) process.stderr.write(`page: skipped, ${reason}\n`);
const scenario = (title: string, work: () => Promise<void>) => (reason ? it.skip : it)(title, work, DEADLINE_MS);

let directory: string;
let registry: FakeRegistry;
let door: SlowDoor;
let image: GeneratedImage;
let chromium: Chromium;
const nodes: NodeProcess[] = [];

const first = (): NodeProcess => {
  const [node] = nodes;
  if (node === undefined) throw new Error('No node was started');
  return node;
};

beforeAll(async () => {
  if (reason !== undefined) return;
  directory = await makeTestDirectory('shoal-page-');
  const [keyFile, tokenFile] = [join(directory, 'mesh.key'), join(directory, 'token')];
  await writeFile(keyFile, randomBytes(32).toString('base64'));
  await writeFile(tokenFile, TOKEN);
  registry = await FakeRegistry.start({ scheme: 'http' });
  image = await testImage({ seed: 'page', layerCount: 2, layerSizeBytes: 20 * 1024 * 1024 });
  registry.put('team/app', image);
  door = await openSlowDoor({ url: `http://${registry.host}` }, REGISTRY_BYTES_PER_SECOND);
  let joinPort: number | undefined;
  for (let index = 0; index < NODES; index += 1) {
    const port = await freePort();
    joinPort ??= port;
    const zone = index === 0 ? 'rack-a' : 'rack-b';
    const mesh = { name: `node-${index + 1}`, port, joinPort, keyFile, zone };
    nodes.push(await startNode({ registries: [door], tokenFile, mesh }));
  }
  await eventually(first().membersAlive, (count) => count === NODES);
  chromium = await startChromium();
}, DEADLINE_MS);

afterAll(async () => {
  await chromium?.[Symbol.asyncDispose]();
  for (const node of nodes) await node.stop();
  await door?.stop();
  await registry?.[Symbol.asyncDispose]();
  if (directory !== undefined) await removeTestDirectory(directory);
}, DEADLINE_MS);

async function live(options?: Parameters<Chromium['open']>[1]): Promise<OpenPage> {
  const opened = await chromium.open(`${first().adminUrl}/`, options);
  await opened.page.waitForSelector('#live[data-state="live"]');
  return opened;
}

/** Kept where CI finds them, for whoever looks. */
async function screenshot({ page }: OpenPage, name: string): Promise<void> {
  const folder = process.env.SHOAL_SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${join(folder, name)}.png`, fullPage: true });
}

function asked(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${first().adminUrl}${path}`, init);
}

function pullOn(node: NodeProcess): Promise<string> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
  const body = JSON.stringify({ ref: `${door.host}/team/app:latest` });
  return fetch(`${node.adminUrl}/api/v1/pull`, { method: 'POST', headers, body }).then((answer) => answer.text());
}

scenario('shows members by zone, with what each holds, and nothing goes wrong or elsewhere', async () => {
  const opened = await live();
  await opened.page.waitForFunction(
    (count) => document.querySelectorAll('.grid-body .grid-row').length === count,
    {},
    NODES,
  );
  // Every member has told of itself.
  await opened.page.waitForFunction(() => !document.querySelector('#members')?.textContent?.includes('not told yet'));
  expect(await opened.text('.tile .value')).toBe(`${NODES} of ${NODES}`);
  expect(await opened.page.$$eval('.zone', (zones) => zones.map((zone) => zone.getAttribute('data-zone')))).toEqual([
    'rack-b',
    'rack-a',
  ]);
  await opened.page.click('.zone[data-zone="rack-a"]');
  expect(
    await opened.page.$$eval('.grid-body .grid-row', (rows) => rows.map((row) => row.getAttribute('data-name'))),
  ).toEqual(['node-1']);
  expect(await opened.text('#members-note')).toBe(`1 of ${NODES} members`);
  expect(opened.problems).toEqual([]);
  const elsewhere = opened.requested.filter((url) => !url.startsWith(`${first().adminUrl}/`));
  expect(elsewhere).toEqual([]);
  await opened.page.close();
});

scenario('shows a swarm under way, piece by piece, live, and what came from where afterwards', async () => {
  const opened = await live();
  const pulls = nodes.map(pullOn);
  await opened.page.waitForFunction(() => document.querySelectorAll('.swarm').length >= 2);
  const name = await opened.text('.swarm-head .strong');
  expect(name).toBe(`${door.host}/team/app`);
  const shareOf = () => opened.page.$eval('.swarm .facts b', (share) => Number.parseInt(share.textContent ?? '', 10));
  const early = await shareOf();
  await opened.page.waitForFunction(
    (before) => Number.parseInt(document.querySelector('.swarm .facts b')?.textContent ?? '0', 10) > before,
    {},
    early,
  );
  await opened.page.waitForFunction(() => document.querySelector('.swarm-rows')?.children.length === 12);
  const map = await opened.page.$eval('.swarm .map', (element) => [
    element instanceof HTMLElement ? element.style.backgroundImage : '',
    element.getAttribute('aria-label'),
  ]);
  expect(map[0]).toContain('linear-gradient');
  expect(map[1]).toMatch(/^\d+ % of \d+ pieces$/);
  await opened.page.waitForSelector('.chart .registries');
  await screenshot(opened, 'swarm-light');
  for (const text of await Promise.all(pulls)) expect(text).toContain('{"kind":"done"}');
  await opened.page.waitForFunction(() => document.querySelectorAll('.swarm').length === 0);
  // One copy from the registry, more or less; the others had theirs from each other.
  await opened.page.waitForFunction(() =>
    /^(5|6|7)\d %$/.test(document.querySelectorAll('.tile .value')[2]?.textContent ?? ''),
  );
  expect(opened.problems).toEqual([]);
  await opened.page.close();
});

scenario('shows the plan that a warmer tells, as soon as it is told', async () => {
  const opened = await live();
  await opened.page.waitForFunction(() =>
    document.querySelector('#events')?.textContent?.includes('No warmer has told'),
  );
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
  const plan = {
    at: at(-1),
    warmer: 'warmer-1',
    run: null,
    events: [
      {
        at: at(20),
        start_by: at(-2),
        kind: 'ScaledObject',
        namespace: 'shop',
        name: 'checkout',
        replicas: 40,
        images: ['r.example/a:1', 'r.example/b:1'],
      },
      {
        at: at(300),
        start_by: at(280),
        kind: 'CronJob',
        namespace: null,
        name: '<img src=x onerror=alert(1)>',
        replicas: null,
        images: [],
      },
    ],
    images: [
      { ref: 'r.example/a:1', digest: null, bytes: 1024 * 1024, nodes_wanted: 10, nodes_warm: 5 },
      { ref: 'r.example/b:1', digest: null, bytes: null, nodes_wanted: 10, nodes_warm: 10 },
    ],
  };
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(plan);
  expect((await asked('/api/v1/plan', { method: 'POST', headers, body })).status).toBe(401);
  const withToken = { ...headers, authorization: `Bearer ${TOKEN}` };
  expect((await asked('/api/v1/plan', { method: 'POST', headers: withToken, body: '{"at":"x"}' })).status).toBe(400);
  expect((await asked('/api/v1/plan', { method: 'POST', headers: withToken, body })).status).toBe(200);
  await opened.page.waitForSelector('#events tbody tr');
  expect(await opened.text('#events tbody tr')).toMatch(
    /in 20 min.*shop\/checkout.*to 40 replicas, 2 images.*warming, 75 %/,
  );
  // What others say is text, never markup.
  expect(await opened.text('#events tbody tr:nth-child(2)')).toContain('<img src=x onerror=alert(1)>');
  expect(await opened.page.$('#events img')).toBeNull();
  await opened.page.click('#events summary');
  expect(await opened.text('#events details li')).toContain('on 5 of 10 nodes');
  await screenshot(opened, 'plan-light');
  expect(opened.problems).toEqual([]);
  await opened.page.close();
});

scenario('is dark where the viewer wants it, and readable in both', async () => {
  for (const scheme of ['light', 'dark'] as const) {
    const opened = await live({ scheme });
    await opened.page.waitForSelector('.tile');
    await screenshot(opened, `idle-${scheme}`);
    const contrasts = await opened.page.evaluate(contrastOfTexts);
    expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    const ground = await opened.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(ground).toBe(scheme === 'light' ? 'rgb(245, 247, 248)' : 'rgb(15, 21, 24)');
    await opened.page.close();
  }
});

scenario('fits a small window', async () => {
  const opened = await live({ width: 390, height: 844 });
  await opened.page.waitForSelector('.grid-body .grid-row');
  await screenshot(opened, 'small-light');
  const widths = await opened.page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
  await opened.page.close();
});

scenario('offers no action without the token, and the node takes none', async () => {
  const opened = await live();
  expect(
    await opened.page.$eval('#actions', (actions) => [
      actions.hasAttribute('hidden'),
      actions.querySelectorAll('input, button').length,
    ]),
  ).toEqual([true, 0]);
  await opened.page.click('#unlock');
  await opened.page.type('#token-input', 'wrong');
  await opened.page.keyboard.press('Enter');
  await opened.page.waitForFunction(() => document.querySelector('#token-problem')?.textContent !== '');
  expect(await opened.text('#token-problem')).toBe('This node has another token.');
  expect(await opened.page.$eval('#actions', (actions) => actions.hasAttribute('hidden'))).toBe(true);
  // The page's own origin, without the page's own form.
  const status = await opened.page.evaluate(async () => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer wrong' };
    return (await fetch('/api/v1/pull', { method: 'POST', headers, body: '{"ref":"x"}' })).status;
  });
  expect(status).toBe(401);
  await opened.page.close();
});

scenario('brings an image here for whoever has the token, by the keyboard alone', async () => {
  const opened = await live();
  await opened.page.focus('#unlock');
  await opened.page.keyboard.press('Enter');
  await opened.page.keyboard.type(TOKEN);
  await opened.page.keyboard.press('Enter');
  await opened.page.waitForSelector('#actions:not([hidden]) input[name="ref"]');
  await opened.page.focus('#actions input[name="ref"]');
  await opened.page.keyboard.type(`${door.host}/team/app:latest`);
  await opened.page.keyboard.press('Enter');
  await opened.page.waitForFunction(() => document.querySelector('.progress')?.textContent?.includes('It is here'));
  await screenshot(opened, 'unlocked-light');
  await opened.page.click('#unlock');
  expect(
    await opened.page.$eval('#actions', (actions) => [
      actions.hasAttribute('hidden'),
      actions.querySelectorAll('input').length,
    ]),
  ).toEqual([true, 0]);
  expect(opened.problems).toEqual([]);
  await opened.page.close();
});

scenario('can be used by the keyboard, and says what everything is', async () => {
  const opened = await live();
  await opened.page.waitForSelector('.grid-body .grid-row');
  await opened.page.focus('.grid-body');
  await opened.page.keyboard.press('ArrowDown');
  await opened.page.keyboard.press('ArrowDown');
  expect(await opened.text('#member-detail h3')).toBe('node-2');
  await opened.page.keyboard.press('Escape');
  expect(await opened.text('#member-detail')).toBe('');
  const tree = await opened.page.accessibility.snapshot({ interestingOnly: false });
  const named = JSON.stringify(tree);
  for (const name of ['Members', 'Traffic', 'Next scale-outs', 'Running swarms', 'Filter members'])
    expect(named).toContain(name);
  const unnamed = await opened.page.$$eval('button, input, select, [role="img"]', (elements) =>
    elements
      .filter((element) => {
        const labels = 'labels' in element && element.labels instanceof NodeList ? element.labels.length : 0;
        return labels === 0 && !element.getAttribute('aria-label') && !element.textContent?.trim();
      })
      .map((element) => element.outerHTML),
  );
  expect(unnamed).toEqual([]);
  await opened.page.close();
});

scenario('says that the node is gone, and finds it again', async () => {
  const opened = await live();
  await first().terminate();
  await opened.page.waitForSelector('#live[data-state="lost"]');
  await first().start();
  await opened.page.waitForSelector('#live[data-state="live"]');
  await opened.page.close();
});

/** Runs in the page: the contrast of every text with what lies behind it (WCAG 2.2, 1.4.3). */
function contrastOfTexts(): { text: string; ratio: number }[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour: string): number[] => {
    canvas?.clearRect(0, 0, 1, 1);
    if (canvas) canvas.fillStyle = colour;
    canvas?.fillRect(0, 0, 1, 1);
    return [...(canvas?.getImageData(0, 0, 1, 1).data ?? [])];
  };
  const over = (top: number[], below: number[]): number[] => {
    const alpha = (top[3] ?? 0) / 255;
    return [0, 1, 2].map((at) => (top[at] ?? 0) * alpha + (below[at] ?? 0) * (1 - alpha)).concat(255);
  };
  const groundOf = (element: Element | null): number[] => {
    if (element === null) return [255, 255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 255 ? own : over(own, groundOf(element.parentElement));
  };
  const light = (colour: number[]): number => {
    const [r = 0, g = 0, b = 0] = colour.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found: { text: string; ratio: number }[] = [];
  for (const element of document.querySelectorAll('h1, h2, p, span, td, th, button, dt, dd, b, small, code, label')) {
    const text = [...element.childNodes]
      .flatMap((node) => (node.nodeType === 3 ? [node.textContent ?? ''] : []))
      .join('')
      .trim();
    if (text === '' || element.getClientRects().length === 0) continue;
    const ground = groundOf(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), ground)), light(ground)];
    found.push({
      text: text.slice(0, 40),
      ratio: Math.round(((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)) * 100) / 100,
    });
  }
  return found;
}
