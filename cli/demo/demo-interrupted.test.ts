import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(60_000);

type Demo = ChildProcessByStdio<null, Readable, Readable>;

describe('shoal demo', () => {
  it.each<[string, (demo: Demo) => unknown, number]>([
    ['its results are read no more', ({ stdout }) => stdout.destroy(), 0],
    ['SIGINT', (demo) => demo.kill('SIGINT'), 1],
    ['SIGTERM', (demo) => demo.kill('SIGTERM'), 1],
  ])('takes its folder away when interrupted by: %s', async (_, interrupt, expected) => {
    const folder = await mkdtemp(join(tmpdir(), 'demo-interrupted-'));
    try {
      const demo = spawn(process.execPath, [join(import.meta.dirname, '../main.ts'), 'demo'], {
        env: { PATH: process.env.PATH, TMPDIR: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stderr = '';
      demo.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text;
      });
      const ended = once(demo, 'close');
      await once(demo.stdout, 'data');
      expect(await readdir(folder)).toHaveLength(1);
      demo.stdout.resume();
      interrupt(demo);
      const [code] = await ended;
      expect([code, stderr, await readdir(folder)]).toEqual([expected, '', []]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
