/** What a cron expression means once parsed: fields of a calendar, or a constant delay. Milliseconds throughout. */
import type { CronField } from './cron-field.ts';

/** Fires when every field matches, in one time zone. */
export interface CalendarSchedule {
  readonly type: 'calendar';
  readonly second: CronField;
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  readonly dayOfWeek: CronField;
  /** Given by a `TZ=` or `CRON_TZ=` prefix; it wins over the zone that the evaluator is given. */
  readonly zone?: string;
  /** robfig v3 corrects days whose midnight does not exist; v1 did not. */
  readonly isMidnightCorrected: boolean;
}

/** `@every`: this long after the time that it is asked from. */
export interface DelaySchedule {
  readonly type: 'delay';
  /** Whole seconds, at least one. */
  readonly delayMs: number;
}

export type CronSchedule = CalendarSchedule | DelaySchedule;
