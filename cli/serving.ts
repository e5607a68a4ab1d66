/** The node daemon between its first and its last signal. */
import { systemClock } from '../core/runtime/clock.ts';
import { messageOf } from '../core/runtime/errors.ts';
import { formatHostPort, isLoopback } from '../core/runtime/config-address.ts';
import { type AdjustableLog, adjustableLog } from '../core/runtime/log-level.ts';
import { createLogger } from '../core/runtime/log.ts';
import { createMetrics } from '../core/runtime/metrics.ts';
import type { NodeConfig } from '../plugin/config.ts';
import { runNode } from '../plugin/daemon.ts';
import { reloadable } from '../plugin/config/reload.ts';
import { readNodeConfig } from './config-file.ts';
import { type Host, isColoured } from './host.ts';
import { type ServiceManager, createServiceManager } from './service-manager.ts';
import { VERSION } from './version.ts';

/** Runs the node of `file`'s configuration until SIGTERM or SIGINT; SIGHUP reads the file again. */
export async function serve(file: string, host: Host): Promise<void> {
  const config = await readNodeConfig(file, host);
  const logging = createLogging(config, host);
  warnOfOpenAdmin(config, logging);
  const manager = createServiceManager({ env: host.env, pid: host.pid, log: logging.log });
  const stop = new AbortController();
  const reloads = createReloads({ file, host, logging, manager }, config);
  const stopSignals = [
    ...(['SIGTERM', 'SIGINT'] as const).map((name) =>
      host.onSignal(name, () => {
        logging.log.info({ signal: name }, 'Stopping');
        manager.stopping();
        stop.abort();
      }),
    ),
    host.onSignal('SIGHUP', reloads.reload),
  ];
  try {
    await runNode(config, {
      version: VERSION,
      log: logging.log,
      metrics: createMetrics({ process: true }),
      clock: systemClock,
      random: Math.random,
      env: host.env,
      signal: stop.signal,
      onReady: () => manager.ready(),
      onReload: reloads.listen,
    });
  } finally {
    manager.close();
    for (const remove of stopSignals) remove();
  }
}

function createLogging({ log }: NodeConfig, host: Host): AdjustableLog {
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && host.err.isTTY === true);
  const base = createLogger({
    level: 'debug',
    format: isPretty ? 'pretty' : 'json',
    out: host.err,
    colour: isColoured(host, host.err),
  });
  return adjustableLog(base, log.level);
}

/** Whoever reaches the address reads what this node holds; changes need the token, and are refused without one. */
function warnOfOpenAdmin({ admin }: NodeConfig, { log }: AdjustableLog): void {
  if (isLoopback(admin.listen.host) || admin.tokenFile !== undefined) return;
  log.warn(
    { listen: formatHostPort(admin.listen) },
    'admin.listen is open to other machines and admin.token_file is not set: they can read everything, nobody can change anything',
  );
}

interface ReloadDeps {
  readonly file: string;
  readonly host: Host;
  readonly logging: AdjustableLog;
  readonly manager: ServiceManager;
}

/** Reads the configuration again at each signal, one at a time, and tells what became of it. */
function createReloads({ file, host, logging, manager }: ReloadDeps, started: NodeConfig) {
  let running = started;
  let apply: (config: NodeConfig) => void | Promise<void> = () => undefined;
  let turn: Promise<void> = Promise.resolve();
  const reloadOnce = async () => {
    manager.reloading();
    try {
      const { config, applied, refused } = reloadable(running, await readNodeConfig(file, host));
      await apply(config);
      logging.setLevel(config.log.level);
      running = config;
      logging.log.info({ applied }, 'Configuration reloaded');
      if (refused.length > 0) logging.log.warn({ keys: refused }, 'Changed settings need a restart');
    } catch (error) {
      logging.log.error({ reason: messageOf(error) }, 'Reload refused, the running configuration stays');
    }
    manager.ready();
  };
  return {
    reload: () => {
      turn = turn.then(reloadOnce);
    },
    listen: (listener: typeof apply) => {
      apply = listener;
    },
  };
}
