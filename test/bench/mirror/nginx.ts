/** nginx with one worker, serving a folder on loopback: what the mirror is compared with. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/debian/free-port.ts';

export interface Nginx {
  readonly url: string;
  /** Of the one process that serves. */
  readonly pid: number;
  stop(): void;
}

/** Why there is no nginx here; undefined when there is. */
export function nginxUnavailable(): string | undefined {
  const { error } = spawnSync('nginx', ['-v'], { stdio: 'ignore' });
  return error && 'nginx is not installed (Debian: nginx-light)';
}

export async function startNginx(folder: string, root: string): Promise<Nginx> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  const lines = [
    ...['daemon off;', 'master_process off;', `pid ${folder}/pid;`, `error_log ${folder}/error.log;`],
    'events { worker_connections 8192; }',
    `http { access_log off; sendfile on; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;`,
    `fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;`,
    `server { listen 127.0.0.1:${port} backlog=4096; root ${root}; } }`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child: ChildProcess = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries += 1) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  return { url, pid: child.pid ?? 0, stop: () => void child.kill('SIGTERM') };
}
