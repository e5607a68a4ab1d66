/**
 * Telling systemd how the service is (sd_notify(3)). Node has no unix datagram sockets, so `systemd-notify` says it for
 * us, which needs `NotifyAccess=all` in the unit (docs/decisions/0003-service-manager.md).
 */
import { spawn } from 'node:child_process';
import type { Environment } from '../core/runtime/config-reader.ts';
import { messageOf } from '../core/runtime/errors.ts';
import type { Logger } from '../core/runtime/log.ts';

export interface ServiceManager {
  /** Start-up is done; also starts the watchdog's heart-beat when the unit asks for one. */
  ready(): void;
  reloading(): void;
  stopping(): void;
  /** Ends the heart-beat. */
  close(): void;
}

export interface ServiceManagerDeps {
  readonly env: Environment;
  readonly pid: number;
  readonly log: Logger;
  /** Passes one message on; the real one runs `systemd-notify`. */
  readonly send?: (assignments: readonly string[]) => Promise<void>;
}

/** systemd takes a message in milliseconds; one that takes longer is lost. */
const SEND_TIMEOUT_MS = 5_000;

/** Says nothing when no service manager listens (`NOTIFY_SOCKET` is not set). */
export function createServiceManager(deps: ServiceManagerDeps): ServiceManager {
  const { env, log } = deps;
  const send = deps.send ?? ((assignments) => runSystemdNotify(env, assignments));
  const isListening = Boolean(env.NOTIFY_SOCKET);
  let heartbeat: NodeJS.Timeout | undefined;
  // One after another, so that no later word overtakes an earlier one.
  let turn: Promise<void> = Promise.resolve();
  const tell = (...assignments: string[]): void => {
    if (!isListening) return;
    turn = turn
      .then(() => send(assignments))
      .catch((error: unknown) => {
        log.warn({ reason: messageOf(error), told: assignments }, 'Service manager could not be told');
      });
  };
  return {
    ready() {
      tell('READY=1', `MAINPID=${deps.pid}`);
      const everyMs = watchdogIntervalMs(env, deps.pid);
      if (!isListening || everyMs === undefined || heartbeat !== undefined) return;
      heartbeat = setInterval(() => tell('WATCHDOG=1'), everyMs);
      heartbeat.unref();
    },
    reloading: () => tell('RELOADING=1'),
    stopping: () => tell('STOPPING=1'),
    close: () => clearInterval(heartbeat),
  };
}

/** Half of what the unit's `WatchdogSec` allows; undefined when it asks this process for nothing. */
export function watchdogIntervalMs(env: Environment, pid: number): number | undefined {
  const usec = Number(env.WATCHDOG_USEC);
  if (!(usec > 0) || (env.WATCHDOG_PID !== undefined && Number(env.WATCHDOG_PID) !== pid)) return undefined;
  return Math.max(100, Math.floor(usec / 2000));
}

function runSystemdNotify(env: Environment, assignments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', [...assignments], {
      env: { PATH: env.PATH, NOTIFY_SOCKET: env.NOTIFY_SOCKET },
      stdio: 'ignore',
      timeout: SEND_TIMEOUT_MS,
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify ended with ${signal ?? code}`));
    });
  });
}
