/**
 * Which of py-kube-downscaler's annotations hold for a workload: its own, else its namespace's
 * (`kube_downscaler/scaler.py`). Pure.
 */
import type { ValuePath } from '../../sources/documents.ts';

export const ANNOTATION_PREFIX = 'downscaler/';

export type Annotations = Readonly<Record<string, string>>;

/** Annotations that say when; any of them on a workload makes it differ from its namespace. */
const TIMING_KEYS = ['uptime', 'downtime', 'upscale-period', 'downscale-period'] as const;
export type TimingKey = (typeof TIMING_KEYS)[number];

export type Timing = Readonly<Record<TimingKey, string>>;

const DEFAULTS: Timing = {
  uptime: 'always',
  downtime: 'never',
  'upscale-period': 'never',
  'downscale-period': 'never',
};

export function timingOf(namespace: Annotations, own: Annotations = {}): Timing {
  const said = TIMING_KEYS.flatMap((key) => {
    const value = own[ANNOTATION_PREFIX + key] ?? namespace[ANNOTATION_PREFIX + key];
    return value === undefined ? [] : [[key, value]];
  });
  return { ...DEFAULTS, ...Object.fromEntries(said) };
}

export function hasTiming(annotations: Annotations): boolean {
  return TIMING_KEYS.some((key) => annotations[ANNOTATION_PREFIX + key] !== undefined);
}

/** Never scaled: any value of `exclude` but "false". */
export function isExcluded(annotations: Annotations): boolean {
  return (annotations[`${ANNOTATION_PREFIX}exclude`] ?? 'false').toLowerCase() !== 'false';
}

/** Left alone until then; undefined when it is not said or not understood, as the downscaler has it. */
export function excludedUntil(annotations: Annotations): number | undefined {
  const text = annotations[`${ANNOTATION_PREFIX}exclude-until`];
  const isKnown = text !== undefined && /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z|[T ]\d{2}:\d{2})?$/.test(text);
  const ms = isKnown ? Date.parse(/Z$|^.{10}$/.test(text) ? text : `${text.replace(' ', 'T')}:00Z`) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Always up. */
export function isForcedUp(annotations: Annotations): boolean {
  return (annotations[`${ANNOTATION_PREFIX}force-uptime`] ?? '').toLowerCase() === 'true';
}

export function annotationPath(key: string): ValuePath {
  return ['metadata', 'annotations', ANNOTATION_PREFIX + key];
}
