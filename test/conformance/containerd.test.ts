/** containerd's own ContentSuite, from its Go module, over our socket. Skipped with one line where Go is absent. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const FOLDER = join(import.meta.dirname, 'containerd');
const SERVE = join(import.meta.dirname, 'serve-content.ts');

/** Compiling containerd's packages for the first time takes minutes on two cores. */
const TIMEOUT_MS = 900_000;

const version = spawnSync('go', ['version'], { encoding: 'utf8' });
const reason = version.error === undefined ? undefined : `no "go" on the PATH (${version.error.message})`;
if (reason !== undefined) process.stderr.write(`containerd's ContentSuite is not run: ${reason}\n`);

describe("containerd's ContentSuite", () => {
  for (const transport of ['grpc-js', 'direct']) {
    (reason === undefined ? it : it.skip)(
      `passes over the socket with transport "${transport}"`,
      () => {
        const command = process.env.SHOAL_CONTENT_SERVER ?? `${process.execPath} ${SERVE} {root} {socket} ${transport}`;
        const run = spawnSync('go', ['test', '-count=1', '-v', './...'], {
          cwd: FOLDER,
          env: { ...process.env, SHOAL_CONTENT_SERVER: command },
          encoding: 'utf8',
          timeout: TIMEOUT_MS,
        });
        expect(`${run.stdout}${run.stderr}`).toContain('--- PASS: TestContentSuite');
        expect(run.stdout).not.toContain('--- SKIP');
        expect(run.status).toBe(0);
      },
      TIMEOUT_MS,
    );
  }
});
