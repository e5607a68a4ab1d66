import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

// Starts the daemon as a process, on machines that have other things to do.
jest.setTimeout(60_000);

const MAIN = join(import.meta.dirname, 'main.ts');

let folder: string;
let child: ChildProcess | undefined;
let log = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-serve-'));
  log = '';
});

afterEach(async () => {
  if (child?.exitCode === null) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function configText(more = ''): string {
  const content = `[content]\nroot = "${folder}/content"\nsocket = "${folder}/s.sock"\ncontainerd = ""\n`;
  return `${content}[mirror]\nlisten = ""\n[admin]\nlisten = "127.0.0.1:0"\n[store]\nmin_free = "0"\n${more}`;
}

async function serve(env: Record<string, string> = {}, config = configText()): Promise<void> {
  await writeFile(join(folder, 's.toml'), config);
  const started = spawn(process.execPath, [MAIN, 'serve', '--config', join(folder, 's.toml')], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child = started;
  started.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  await logged('Node is ready');
}

/** The record whose text is `text`, when it comes. */
async function logged(text: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = log.split('\n').find((candidate) => candidate.includes(`"msg":"${text}"`));
    if (line !== undefined) return JSON.parse(line);
    if (child?.exitCode !== null) throw new Error(`The daemon ended with ${child?.exitCode}: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function stop(): Promise<unknown> {
  const ended = child === undefined ? [] : once(child, 'exit');
  child?.kill('SIGTERM');
  return (await ended)[0];
}

describe('shoal serve', () => {
  it('ends with exit code 0 on SIGTERM', async () => {
    await serve();
    expect(await stop()).toBe(0);
    expect(log).toContain('"signal":"SIGTERM"');
  });

  it('warns of an admin address that others can reach while no token is set', async () => {
    await serve({}, configText().replace('listen = "127.0.0.1:0"', 'listen = "0.0.0.0:0"'));
    const { level, listen } = await logged(
      'admin.listen is open to other machines and admin.token_file is not set: they can read everything, nobody can change anything',
    );
    expect({ level, listen }).toEqual({ level: 'warn', listen: '0.0.0.0:0' });
    await stop();
  });

  it('says nothing of an admin address on loopback', async () => {
    await serve();
    await stop();
    expect(log).not.toContain('admin.token_file');
  });

  it('reads its configuration again on SIGHUP, and says what it could not take over', async () => {
    await serve();
    const changed = configText('[log]\nlevel = "warn"\n[node]\nzone = "z"\n[upstream]\nconcurrency = 2\n');
    await writeFile(join(folder, 's.toml'), changed);
    child?.kill('SIGHUP');
    expect(await logged('Changed settings need a restart')).toMatchObject({ keys: ['node.zone'] });
    await writeFile(join(folder, 's.toml'), 'broken =');
    child?.kill('SIGHUP');
    expect(await logged('Reload refused, the running configuration stays')).toMatchObject({
      reason: expect.stringContaining('s.toml:1: not TOML'),
    });
    expect(await stop()).toBe(0);
    expect(log).not.toContain('"signal":"SIGTERM"');
  });

  it('tells systemd that it is ready and that it stops', async () => {
    const told = join(folder, 'told');
    await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET" "$@" >> ${told}\n`, {
      mode: 0o755,
    });
    await serve({ PATH: `${folder}:${process.env.PATH}`, NOTIFY_SOCKET: '@n' });
    expect(await stop()).toBe(0);
    const lines = (await readFile(told, 'utf8')).split('\n');
    expect(lines).toEqual([`@n READY=1 MAINPID=${child?.pid}`, '@n STOPPING=1', '']);
  });
});
