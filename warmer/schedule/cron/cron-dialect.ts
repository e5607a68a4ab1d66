/** The cron dialects of the controllers that announce scale-outs, as data (robfig's parser options). */

export interface CronDialect {
  /** Six fields, seconds first; otherwise five. */
  readonly hasSeconds: boolean;
  /** The last field may be left out. */
  readonly isDayOfWeekOptional: boolean;
  /** `@daily`, `@every 1h` and the like. */
  readonly hasDescriptors: boolean;
  /** `@date 2006-01-02 15:04:05`, whose year is not kept. */
  readonly hasDates: boolean;
  /** `TZ=` and `CRON_TZ=` prefixes. */
  readonly hasZonePrefix: boolean;
  /** robfig v1's rules: a stepped star stays a star, days without midnight are not corrected. */
  readonly isFirstVersion: boolean;
}

const FIVE_FIELDS: CronDialect = {
  hasSeconds: false,
  isDayOfWeekOptional: false,
  hasDescriptors: false,
  hasDates: false,
  hasZonePrefix: true,
  isFirstVersion: false,
};

/** robfig/cron v3 `ParseStandard`: CronJob, CronWorkflow, RayCronJob, CronFederatedHPA, SleepInfo, AdvancedCronJob. */
export const STANDARD_DIALECT: CronDialect = { ...FIVE_FIELDS, hasDescriptors: true };

/** KEDA's cron trigger and Argo CD's sync windows: five fields, no descriptors. */
export const FIELDS_ONLY_DIALECT: CronDialect = FIVE_FIELDS;

/** robfig/cron v3 with seconds, as its own tests use it. */
export const SECONDS_DIALECT: CronDialect = { ...FIVE_FIELDS, hasSeconds: true, hasDescriptors: true };

/** ringtail/go-cron, a fork of robfig v1: Alibaba's CronHorizontalPodAutoscaler. */
export const CRON_HPA_DIALECT: CronDialect = {
  hasSeconds: true,
  isDayOfWeekOptional: true,
  hasDescriptors: true,
  hasDates: true,
  hasZonePrefix: false,
  isFirstVersion: true,
};
