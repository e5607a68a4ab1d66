#!/usr/bin/env node
/** The process: the only file that touches it. */
import { hostname } from 'node:os';
import type { Host } from './host.ts';
import { runCli } from './program.ts';

// Whoever read our results went away (`shoal blobs | head`): there is nobody left to tell.
// A command that holds something, as the demo does its folder, ends as at SIGTERM; others end at once.
let codeUnread: number | undefined;
process.stdout.on('error', (error) => {
  if (codeUnread !== undefined) return;
  codeUnread = 'code' in error && error.code === 'EPIPE' ? 0 : 1;
  if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(codeUnread);
});
// A log reader that goes away must not take the daemon with it.
process.stderr.on('error', () => undefined);

const host: Host = {
  args: process.argv.slice(2),
  env: process.env,
  hostName: hostname(),
  pid: process.pid,
  get input() {
    return process.stdin;
  },
  out: process.stdout,
  err: process.stderr,
  onSignal(signal, listener) {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  },
};

const exitCode = await runCli(host);
// Pipes are written behind our back: what was printed leaves before the process does.
await Promise.all([process.stdout, process.stderr].map((out) => new Promise((written) => out.write('', written))));
process.exit(codeUnread ?? exitCode);
