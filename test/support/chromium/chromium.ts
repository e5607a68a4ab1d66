/**
 * A real headless Chromium for tests of the web page, driven over the DevTools protocol.
 *
 * ```ts
 * await using chromium = await startChromium();
 * const page = await chromium.open('http://127.0.0.1:7950/', { scheme: 'dark' });
 * expect(page.problems).toEqual([]);
 * ```
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';

const WORK = process.env.SHOAL_TEST_WORK ?? resolve(import.meta.dirname, '../../../.work');
const FOLDER = join(WORK, 'chromium');
const PROGRAM = join(FOLDER, 'headless-shell');
const LIBRARIES = join(FOLDER, `usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
const DEADLINE_MS = 30_000;

export interface OpenPage {
  readonly page: Page;
  /** What the console and the page said went wrong, and requests that failed. */
  readonly problems: string[];
  /** Every address that was asked for. */
  readonly requested: string[];
  /** The text of what a selector finds first; empty when nothing. */
  text(selector: string): Promise<string>;
}

export interface Chromium extends AsyncDisposable {
  readonly browser: Browser;
  open(url: string, options?: OpenOptions): Promise<OpenPage>;
}

export interface OpenOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** Why no Chromium can be started here; undefined when one can. */
export function chromiumUnavailable(): string | undefined {
  if (!existsSync(PROGRAM)) return '.ci/debian-chromium has not unpacked a Chromium';
  const { status, stderr } = spawnSync(PROGRAM, ['--version'], { env: environment(), encoding: 'utf8' });
  return status === 0 ? undefined : `Chromium does not start: ${stderr.slice(0, 200)}`;
}

export async function startChromium(): Promise<Chromium> {
  const directory = await makeTestDirectory('shoal-chromium-');
  const browser = await puppeteer.launch({
    executablePath: PROGRAM,
    env: environment(),
    userDataDir: directory,
    timeout: DEADLINE_MS,
    // Tests run as root in containers, where neither the sandbox nor a large /dev/shm is to be had.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run', '--hide-scrollbars'],
  });
  return {
    browser,
    open: (url, options) => openPage(browser, url, options),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await removeTestDirectory(directory);
    },
  };
}

async function openPage(browser: Browser, url: string, options: OpenOptions = {}): Promise<OpenPage> {
  const page = await browser.newPage();
  const problems: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) =>
    problems.push(`exception: ${error instanceof Error ? error.message : String(error)}`),
  );
  page.on('request', (request) => requested.push(request.url()));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  page.setDefaultTimeout(DEADLINE_MS);
  await page.setViewport({ width: options.width ?? 1360, height: options.height ?? 1000 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: options.scheme ?? 'light' }]);
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  const text = (selector: string) =>
    page.evaluate((wanted) => document.querySelector(wanted)?.textContent?.trim() ?? '', selector);
  return { page, problems, requested, text };
}

/** The libraries that this machine lacks, and fonts where it has none. */
function environment(): Record<string, string> {
  const fonts = join(FOLDER, 'etc/fonts/fonts.conf');
  return {
    PATH: process.env.PATH ?? '',
    HOME: '/tmp',
    LD_LIBRARY_PATH: `${LIBRARIES}:${join(LIBRARIES, 'pulseaudio')}`,
    ...(!existsSync('/etc/fonts/fonts.conf') && existsSync(fonts) && { FONTCONFIG_FILE: fonts }),
  };
}
