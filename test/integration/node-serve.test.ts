/** `shoal serve` as a process: what it opens, what it refuses, how it ends. Needs no containerd. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type CommandResult, runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { startNode } from '../support/node/node-process.ts';

const DEADLINE_MS = 60_000;
const BLOBS = 10_000;
/** What a restart with that many blobs may take, from the first system call of the store to its last. */
const OPEN_MS_MAX = 1_000;
const PROGRAM = resolve(import.meta.dirname, '../../cli/main.ts');

let directory: string;

beforeEach(async () => {
  directory = await makeTestDirectory('shoal-serve-');
});

afterEach(() => removeTestDirectory(directory));

/** Runs it to its end, which has to come by itself. */
function serve(configFile: string): Promise<CommandResult> {
  const env = { NODE_OPTIONS: '', NO_COLOR: '1' };
  return runCommand(process.execPath, [PROGRAM, 'serve', '--config', configFile], { env, deadlineMs: 20_000 });
}

it(
  'serve opens a socket for its owner alone, says when it is ready, and leaves nothing behind when it is stopped',
  async () => {
    await using node = await startNode({ directory, registries: [] });
    const socket = await stat(node.contentSocket);
    expect(socket.isSocket()).toBe(true);
    expect(socket.mode & 0o777).toBe(0o600);
    expect(await node.status()).toMatchObject({ name: 'test-node', ready: true, claims: 0, flights: 0 });
    await node.terminate();
    await expect(stat(node.contentSocket)).rejects.toThrow(/ENOENT/);
    expect(await node.isReady()).toBe(false);
    expect(await node.log()).toContain('Node has stopped');
  },
  DEADLINE_MS,
);

it(
  'serve takes the place of a socket that a killed one left, and of no other file',
  async () => {
    await using node = await startNode({ directory, registries: [] });
    await node.kill();
    expect((await stat(node.contentSocket)).isSocket()).toBe(true);
    await node.start();
    await node.terminate();
    await writeFile(node.contentSocket, 'precious');
    const refused = await serve(node.configFile);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/content\.sock" exists and is not a socket/);
    expect(await readFile(node.contentSocket, 'utf8')).toBe('precious');
  },
  DEADLINE_MS,
);

it(
  'serve refuses a root that another one uses, and leaves that one alone',
  async () => {
    await using node = await startNode({ directory, registries: [] });
    const text = await readFile(node.configFile, 'utf8');
    const second = join(directory, 'second.toml');
    await writeFile(
      second,
      text.replace('content.sock', 'second.sock').replace(/127\.0\.0\.1:[1-9]\d*/, '127.0.0.1:0'),
    );
    const refused = await serve(second);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/another daemon seems to use this store/);
    expect(await node.isReady()).toBe(true);
  },
  DEADLINE_MS,
);

it(
  'serve names file, line and key of everything that is wrong in its configuration',
  async () => {
    const file = join(directory, 'shoal.toml');
    await writeFile(file, '[content]\nsockett = "/tmp/x"\nclaim = "always"\n[store]\ncapacity = 7\n');
    const refused = await serve(file);
    expect(refused.exitCode).toBe(2);
    for (const place of ['2: content.sockett', '3: content.claim', '5: store.capacity']) {
      expect(refused.stderr).toContain(`shoal.toml:${place}`);
    }
  },
  DEADLINE_MS,
);

it(
  `serve is ready again at once with ${BLOBS} blobs`,
  async () => {
    const root = join(directory, 'content');
    await mkdir(join(root, 'blobs/sha256'), { recursive: true });
    for (let count = 0; count < BLOBS; count += 1) {
      const text = `blob ${count}`;
      writeFileSync(join(root, 'blobs/sha256', createHash('sha256').update(text).digest('hex')), text);
    }
    await using node = await startNode({ directory, registries: [] });
    const startedMs = performance.now();
    await node.restart();
    process.stderr.write(`serve: ready ${Math.round(performance.now() - startedMs)} ms after SIGTERM\n`);
    expect(await node.status()).toMatchObject({ store: { blobs: BLOBS } });
    const opened = (await node.log()).split('\n').filter((line) => line.includes('"tookMs"'));
    expect(opened).toHaveLength(2);
    for (const line of opened) expect(JSON.parse(line)).toMatchObject({ blobs: BLOBS });
    expect(JSON.parse(opened[1] ?? '{}').tookMs).toBeLessThan(OPEN_MS_MAX);
  },
  DEADLINE_MS,
);
