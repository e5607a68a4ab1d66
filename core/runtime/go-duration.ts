/** Go's `time.ParseDuration`, for whoever reads what Go programs read. */
import { CodedError } from './errors.ts';

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
/** A duration is an int64 of nanoseconds in Go. */
const LIMIT_NS = 2 ** 63;
const PART = /(\d*)(\.\d*)?([^\d.]+)/y;

/**
 * `1h30m`, `-1.5h`, `300ms` as milliseconds.
 * @throws CodedError INVALID_ARGUMENT for what Go refuses
 */
export function parseGoDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  const nanoseconds = sumParts(body);
  if (nanoseconds === undefined || nanoseconds >= LIMIT_NS) {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    throw new CodedError('INVALID_ARGUMENT', `Duration "${shown}" is not one of Go's, such as "1h30m"`);
  }
  return (sign * nanoseconds) / 1e6;
}

function sumParts(body: string): number | undefined {
  let total = 0;
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const [whole = '', digits = '', fraction = '', unit = ''] = PART.exec(body) ?? [];
    const scale = UNIT_NS[unit];
    const hasDigits = digits !== '' || fraction.length > 1;
    if (whole === '' || scale === undefined || !hasDigits) return undefined;
    total += Number(`${digits || '0'}${fraction.length > 1 ? fraction : ''}`) * scale;
    at += whole.length;
  }
  return body === '' ? undefined : total;
}
