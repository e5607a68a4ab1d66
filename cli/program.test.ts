import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { runShoal } from '../test/support/cli/run-shoal.ts';

// Each test starts the program at least once, on machines that have other things to do.
jest.setTimeout(60_000);

describe('shoal', () => {
  it('--help and --version go to stdout with exit code 0', async () => {
    const [help, version, command] = await Promise.all([
      runShoal(['--help']),
      runShoal(['--version']),
      runShoal(['pull', '--help']),
    ]);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/Usage: shoal.*Exit codes: 0/s), stderr: '' });
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
    expect(command).toMatchObject({ code: 0, stdout: expect.stringContaining('--platform'), stderr: '' });
  });

  it.each([
    [[], 'Usage: shoal'],
    [['nonsense'], "unknown command 'nonsense'"],
    [['status', '--nonsense'], "unknown option '--nonsense'"],
    [['pull'], "missing required argument 'ref'"],
    [['pull', 'docker.io/UPPER'], 'must be lower-case'],
    [['pull', 'nginx', '--platform', 'linux'], 'Platform "linux" is not'],
    [['pull', 'nginx', '--token-file', '/nonexistent'], '--token-file "/nonexistent"'],
    [['status', '--admin', 'nowhere'], '--admin: "nowhere" is not HOST:PORT'],
    [['serve', '--config', '/nonexistent'], 'an empty one will do'],
  ])('%j is wrong usage: exit code 2, and stderr says why', async (args, says) => {
    expect(await runShoal(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(says) });
  });

  it('an address where nobody listens is a failure: exit code 1', async () => {
    const { code, stderr } = await runShoal(['status', '--admin', '127.0.0.1:2']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^shoal: Node at 127\.0\.0\.1:2 does not answer: .*"shoal serve"/),
    ]);
  });

  it('keygen prints keys of 32 bytes, another one each time', async () => {
    const [first, second] = await Promise.all([runShoal(['keygen']), runShoal(['keygen', '--json'])]);
    const keys = [first.stdout, JSON.parse(second.stdout).key];
    expect(keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([32, 32]);
    expect(new Set(keys.map((key) => key.trim())).size).toBe(2);
  });

  it('ends quietly when nobody reads its results any more', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'keygen'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const code = await new Promise((ended) => child.once('close', ended));
    expect([code, stderr]).toEqual([0, '']);
  });
});
