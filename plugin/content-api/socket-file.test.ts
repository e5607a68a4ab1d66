import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSocketFile } from './socket-file.ts';

let directory: string;
let path: string;
const servers: Server[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-sock-'));
  path = join(directory, 'content.sock');
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(directory, { recursive: true, force: true });
});

function listen(at: string): Promise<void> {
  const server = createServer((socket) => socket.end());
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
}

describe('createSocketFile()', () => {
  it('makes a socket that only its owner may use, and removes it', async () => {
    const file = await createSocketFile(path, listen);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).isSocket()).toBe(true);
    await file.remove();
    expect(() => statSync(path)).toThrow('ENOENT');
    await file.remove();
  });

  it('makes the directory when it is missing', async () => {
    await createSocketFile(join(directory, 'a/b.sock'), listen);
    expect(statSync(join(directory, 'a/b.sock')).isSocket()).toBe(true);
  });

  it('refuses a path on which somebody answers, and leaves it alone', async () => {
    await listen(path);
    const before = statSync(path).ino;
    await expect(createSocketFile(path, listen)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(statSync(path).ino).toBe(before);
  });

  it('replaces a socket that a killed server left behind', async () => {
    const file = await createSocketFile(path, listen);
    const left = statSync(path).ino;
    // Closing removes only the name that was bound, so the renamed socket stays, as after a kill.
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expect(statSync(path).ino).toBe(left);
    await createSocketFile(path, listen);
    const fresh = statSync(path).ino;
    await file.remove();
    expect(statSync(path).ino).toBe(fresh);
  });

  it('refuses a path that is no socket, or too long', async () => {
    writeFileSync(path, 'a file');
    await expect(createSocketFile(path, listen)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(createSocketFile(join(directory, 'x'.repeat(120)), listen)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
