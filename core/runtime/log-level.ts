/** A log whose level can be changed while it runs, children included. */
import { LOG_LEVELS, type LogLevel, type Logger } from './log.ts';

export interface AdjustableLog {
  readonly log: Logger;
  setLevel(level: LogLevel): void;
}

/** Wraps `base`, which must itself let everything through (level debug). */
export function adjustableLog(base: Logger, level: LogLevel): AdjustableLog {
  let rank = LOG_LEVELS.indexOf(level);
  const wrap = (inner: Logger): Logger => ({
    error: (fields, text) => inner.error(fields, text),
    warn: (fields, text) => void (rank >= LOG_LEVELS.indexOf('warn') && inner.warn(fields, text)),
    info: (fields, text) => void (rank >= LOG_LEVELS.indexOf('info') && inner.info(fields, text)),
    debug: (fields, text) => void (rank >= LOG_LEVELS.indexOf('debug') && inner.debug(fields, text)),
    child: (fields) => wrap(inner.child(fields)),
  });
  return {
    log: wrap(base),
    setLevel: (next) => {
      rank = LOG_LEVELS.indexOf(next);
    },
  };
}
