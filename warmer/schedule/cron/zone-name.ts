/**
 * Which names are time zones. Intl takes more than Go's `time.LoadLocation` does (any case, `+01:00`, `PST`), and a name that
 * only Intl knows would be predicted for a controller that refuses it.
 */
import { CodedError } from '../../../core/runtime/errors.ts';

/** Where the zones of the tz database stand; the first word of `Europe/Berlin`. */
const REGIONS = new Set(
  (
    'Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific ' +
    'US'
  ).split(' '),
);

/** Its zones without a region. ICU's own short ones (PST, IST, JST, …) are not among them. */
const WITHOUT_REGION = new Set(
  (
    'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran ' +
    'Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK ' +
    'Singapore Turkey UCT UTC Universal W-SU WET Zulu'
  ).split(' '),
);

/**
 * Gives the name back.
 * @throws CodedError INVALID_ARGUMENT when Go's tz database would not have it
 */
export function checkZone(name: string): string {
  if (isZone(name)) return name;
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  throw new CodedError('INVALID_ARGUMENT', `Time zone "${shown}" does not exist`);
}

/** Answers remembered, because asking Intl takes a good part of a millisecond; the tz database has about 600 names. */
const ANSWERS_MAX = 1000;
const answers = new Map<string, boolean>();

/** True for a name of the tz database, in its own spelling. */
export function isZone(name: string): boolean {
  const known = answers.get(name);
  if (known !== undefined) return known;
  const answer = askIntl(name);
  if (answers.size >= ANSWERS_MAX) answers.clear();
  answers.set(name, answer);
  return answer;
}

function askIntl(name: string): boolean {
  const words = name.split('/');
  const isPlausible = words.length === 1 ? WITHOUT_REGION.has(name) : REGIONS.has(words[0] ?? '');
  if (!isPlausible || name.length > 64 || !words.every((word) => /^[A-Z]/.test(word))) return false;
  try {
    const known = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
    // An alias comes back as another name; the same name in another case is a misspelling that Go refuses.
    return known === name || known.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
