/** The warmer's daemon between its first and its last signal. */
import { systemClock } from '../../core/runtime/clock.ts';
import { startAll } from '../../core/runtime/lifecycle.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { createDaemonEvents } from '../../warmer/serve/events.ts';
import { createMetricsServer } from '../../warmer/serve/metrics-server.ts';
import { WarmDaemon } from '../../warmer/serve/warm-daemon.ts';
import type { Host } from '../host.ts';
import { createServiceManager } from '../service-manager.ts';
import { openWarmer, untilSignal, type WarmOptions } from './warm-options.ts';

export async function serveWarmer(options: WarmOptions, host: Host): Promise<void> {
  const { config, warmer, logging } = await openWarmer({ ...options, isWatching: true }, host);
  const log = logging.log.child({ module: 'warm' });
  const metrics = createMetrics({ process: true });
  const manager = createServiceManager({ env: host.env, pid: host.pid, log });
  const events = createDaemonEvents({ log, metrics });
  const { cron = '', timezone } = config.schedule;
  const daemon = new WarmDaemon({ warmer, clock: systemClock, events }, { cron, timezone });
  const server = config.metricsListen === undefined ? undefined : createMetricsServer(metrics, config.metricsListen);
  const { signal, remove } = untilSignal(host);
  try {
    const parts = [
      ...(server === undefined ? [] : [{ name: 'metrics', service: server }]),
      { name: 'warmer', service: daemon },
    ];
    const stop = await startAll(parts, { signal });
    manager.ready();
    log.info({ cron, timezone, metrics: server?.address() }, 'Warmer is ready');
    await aborted(signal);
    log.info({}, 'Stopping');
    manager.stopping();
    await stop();
  } finally {
    manager.close();
    remove();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
