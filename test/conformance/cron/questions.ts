/** Cron expressions made by chance, right and wrong ones, with the zones and instants where daylight saving hurts. */
import { seededRandom } from '../../simulation/mesh/seeded-random.ts';

/** One line that `main.go` reads. */
export interface Question {
  readonly expression: string;
  readonly dialect: 'standard' | 'fields' | 'seconds' | 'cron-hpa';
  readonly zone: string;
  readonly afterMs: number;
  readonly count: number;
}

type Chance = () => number;

/** Half-hour shifts, midnight shifts, skipped days, both hemispheres, none at all. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'Europe/Dublin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Santiago',
  'America/Havana',
  'America/St_Johns',
  'America/Asuncion',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Shanghai',
  'Asia/Tehran',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
];

/** Between these, whatever the zone, many clocks change; 2018 still had Brazil's midnights. Not 2011: on Samoa's lost day robfig never ends. */
const YEARS = [2013, 2014, 2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023, 2024];
const DESCRIPTORS = '@yearly @annually @monthly @weekly @daily @midnight @hourly @every @nonsense'.split(' ');
const DURATIONS = ['1h30m', '90s', '500ms', '1.5h', '-2h', '5', '3d', '', '.5m', '1h1h', '+10m', '2562048h'];
const ODD_PARTS = [
  'L',
  '15W',
  '5#2',
  '',
  '*-3',
  '?-2/3',
  '*/0',
  '1/2/3',
  '1-2-3',
  '-1',
  '+4',
  '007',
  'x',
  '*/61',
  '7',
  '60',
];
const BOUNDS = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['jan', 'FEB', 'Mar', 'oct', 'NOV', 'january'] },
  { min: 0, max: 6, names: ['sun', 'MON', 'Fri', 'sat', 'friday'] },
];

export function makeQuestions(seed: number, count: number): Question[] {
  const chance = seededRandom(seed);
  return Array.from({ length: count }, () => question(chance));
}

function question(chance: Chance): Question {
  const dialect = pick(chance, ['standard', 'standard', 'fields', 'seconds', 'cron-hpa'] as const);
  return {
    expression: expression(chance, dialect),
    dialect,
    zone: pick(chance, ZONES),
    afterMs: Date.UTC(pick(chance, YEARS), below(chance, 12), 1 + below(chance, 28)) + below(chance, 86_400_000),
    count: 4,
  };
}

function expression(chance: Chance, dialect: Question['dialect']): string {
  const prefix =
    chance() < 0.1 ? `${pick(chance, ['TZ=', 'CRON_TZ='])}${pick(chance, [...ZONES, 'No/Where', ''])} ` : '';
  if (chance() < 0.06) return prefix + descriptor(chance);
  const hasSeconds = dialect === 'seconds' || dialect === 'cron-hpa';
  const wanted = BOUNDS.slice(hasSeconds ? 0 : 1);
  const fields = wanted.map((bounds, index) => field(chance, bounds, index));
  if (chance() < 0.03) fields.push('*');
  if (chance() < (dialect === 'cron-hpa' ? 0.3 : 0.03)) fields.pop();
  return prefix + fields.join(pick(chance, [' ', ' ', ' ', '  ', '\t']));
}

function descriptor(chance: Chance): string {
  const name = pick(chance, DESCRIPTORS);
  if (chance() < 0.2)
    return `@date 20${10 + below(chance, 20)}-0${1 + below(chance, 9)}-${10 + below(chance, 21)} 07:30:00`;
  return name === '@every' ? `@every ${pick(chance, DURATIONS)}` : name;
}

type Bounds = (typeof BOUNDS)[number];

function field(chance: Chance, bounds: Bounds, index: number): string {
  if (chance() < 0.3 && index > 1) return pick(chance, ['*', '*', '?', '*/1']);
  const parts = Array.from({ length: chance() < 0.75 ? 1 : 1 + below(chance, 3) }, () => part(chance, bounds));
  return parts.join(',');
}

function part(chance: Chance, bounds: Bounds): string {
  if (chance() < 0.02) return pick(chance, ODD_PARTS);
  const low = value(chance, bounds);
  const shape = chance();
  if (shape < 0.5) return low;
  const step = `/${1 + below(chance, 6)}`;
  if (shape < 0.65) return `${pick(chance, ['*', '?', low])}${step}`;
  const high = `${bounds.max - below(chance, 3)}`;
  return `${low}-${high}${shape < 0.8 ? step : ''}`;
}

function value(chance: Chance, { min, max, names }: Bounds): string {
  if (names.length > 0 && chance() < 0.2) return pick(chance, names);
  // Small hours are where clocks change.
  const top = max === 23 && chance() < 0.6 ? 3 : max;
  return `${min + below(chance, top - min + (chance() < 0.02 ? 2 : 1))}`;
}

function below(chance: Chance, end: number): number {
  return Math.floor(chance() * end);
}

function pick<T>(chance: Chance, from: readonly T[]): T {
  const picked = from[below(chance, from.length)];
  if (picked === undefined) throw new Error('Nothing to pick from');
  return picked;
}
