import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockRoot } from './root-lock.ts';

describe('lockRoot()', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'shoal-lock-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const refusal = expect.objectContaining({ code: 'FAILED_PRECONDITION' });

  it('refuses a second holder in the same process until the first releases', () => {
    const path = join(directory, 'lock');
    const first = lockRoot(path);
    expect(() => lockRoot(path)).toThrow(refusal);
    first.release();
    first.release();
    lockRoot(path).release();
  });

  it('refuses while another process holds it, and not after that was killed', async () => {
    const path = join(directory, 'lock');
    const module = pathToFileURL(join(import.meta.dirname, 'root-lock.ts')).href;
    const script = `import { lockRoot } from ${JSON.stringify(module)};
      lockRoot(${JSON.stringify(path)}); console.log('locked'); setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(holder, 'close');
    try {
      await once(holder.stdout, 'data');
      expect(() => lockRoot(path)).toThrow(refusal);
    } finally {
      holder.kill('SIGKILL');
      await closed;
    }
    lockRoot(path).release();
  });
});
