/** Our cron evaluator against robfig's own code. Skipped with one line where Go is absent. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  CRON_HPA_DIALECT,
  FIELDS_ONLY_DIALECT,
  SECONDS_DIALECT,
  STANDARD_DIALECT,
} from '../../warmer/schedule/cron/cron-dialect.ts';
import { parseCron } from '../../warmer/schedule/cron/cron-parser.ts';
import { timesUntil } from '../../warmer/schedule/cron/next-time.ts';
import { isZone } from '../../warmer/schedule/cron/zone-name.ts';
import { makeQuestions, type Question } from './cron/questions.ts';

const FOLDER = join(import.meta.dirname, 'cron');
/** Compiling for the first time. */
const TIMEOUT_MS = 120_000;
const QUESTIONS = 4000;
/** Later rules depend on which edition of the tz database each side has (Morocco's changed in 2026). */
const RULES_AGREE_UNTIL_MS = Date.UTC(2026, 0, 1);

const DIALECTS = {
  standard: STANDARD_DIALECT,
  fields: FIELDS_ONLY_DIALECT,
  seconds: SECONDS_DIALECT,
  'cron-hpa': CRON_HPA_DIALECT,
} as const;

interface Answer {
  readonly times: readonly number[];
  readonly error?: string;
}

const version = spawnSync('go', ['version'], { encoding: 'utf8' });
const reason = version.error === undefined ? undefined : `no "go" on the PATH (${version.error.message})`;
if (reason !== undefined) process.stderr.write(`robfig/cron is not asked: ${reason}\n`);
const whenGo = reason === undefined ? it : it.skip;

describe('cron against robfig/cron', () => {
  for (const seed of seeds()) {
    whenGo(
      `nextTime() fires when robfig does, with seed ${seed}`,
      () => {
        const questions = makeQuestions(seed, QUESTIONS);
        const theirs = askGo(questions);
        const wrong = questions.flatMap((question, index) => {
          const ours = askOurs(question);
          const expected = theirs[index];
          const isSame = (expected?.error === undefined) === (ours.error === undefined) && isEqual(expected, ours);
          return isSame ? [] : [{ question, ours: shown(ours), theirs: shown(expected) }];
        });
        expect(wrong.slice(0, 5)).toEqual([]);
        expect(theirs.filter((answer) => answer.times.length > 0).length).toBeGreaterThan(QUESTIONS / 2);
        expect(theirs.filter((answer) => answer.error !== undefined).length).toBeGreaterThan(QUESTIONS / 50);
      },
      TIMEOUT_MS,
    );
  }

  whenGo(
    'isZone() knows the zones that Go knows',
    () => {
      const odd = [
        'PST',
        'IST',
        '+01:00',
        'europe/berlin',
        'Europe/berlin',
        'utc',
        'GMT+8',
        'Mars/Olympus',
        'Etc/GMT+5',
      ];
      const zones = [...Intl.supportedValuesOf('timeZone'), 'US/Pacific', 'Asia/Calcutta', 'EST5EDT', 'Zulu', ...odd];
      const common = { expression: '0 0 * * *', dialect: 'standard', afterMs: 0, count: 1 } as const;
      const theirs = askGo(zones.map((zone) => ({ ...common, zone })));
      const wrong = zones.filter((zone, index) => isZone(zone) !== (theirs[index]?.error === undefined));
      expect(wrong).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

/** Three that are always run, and one of the caller's choice. */
function seeds(): number[] {
  const chosen = process.env.SHOAL_CRON_SEED;
  return chosen === undefined ? [1, 2, 20261121] : [Number(chosen)];
}

function askGo(questions: readonly Question[]): Answer[] {
  const run = spawnSync('go', ['run', '.'], {
    cwd: FOLDER,
    input: questions.map((question) => JSON.stringify(question)).join('\n'),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: TIMEOUT_MS,
  });
  if (run.status !== 0) throw new Error(`Go program failed: ${run.stderr}`);
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

function askOurs({ expression, dialect, zone, afterMs, count }: Question): Answer {
  try {
    const schedule = parseCron(expression, DIALECTS[dialect]);
    return { times: timesUntil(schedule, { afterMs, untilMs: Number.MAX_SAFE_INTEGER, zone, countMax: count }) };
  } catch (error) {
    return { times: [], error: String(error) };
  }
}

function isEqual(a: Answer | undefined, b: Answer): boolean {
  return a !== undefined && JSON.stringify(settled(a)) === JSON.stringify(settled(b));
}

function settled({ times }: Answer): number[] {
  return times.filter((time) => time < RULES_AGREE_UNTIL_MS);
}

function shown(answer: Answer | undefined): string[] {
  return answer?.error === undefined
    ? (answer?.times ?? []).map((time) => new Date(time).toISOString())
    : [answer.error];
}
