/**
 * Prometheus metrics behind three small shapes, so that a module counts without knowing the registry's library.
 * Names are those of the public interface; labels are bounded sets only.
 */
import {
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
  collectDefaultMetrics,
} from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(count: number, labels?: Labels): void;
}

export interface Histogram {
  /** `value` in the unit that the metric's name ends with (seconds for `_seconds`). */
  observe(value: number, labels?: Labels): void;
}

export interface MetricSpec {
  name: string;
  help: string;
  labels?: readonly string[];
}

/** Where a module declares what it counts. Declaring one name twice is a bug and throws. */
export interface Metrics {
  /** `beforeRead` is called when it is scraped, to add what was gathered in a plain number. */
  counter(spec: MetricSpec & { beforeRead?: () => void }): Counter;
  histogram(spec: MetricSpec & { buckets: readonly number[] }): Histogram;
  /** A gauge that is read when it is scraped: `read` gives each value with its labels. */
  gauge(spec: MetricSpec & { read: () => Iterable<{ value: number; labels?: Labels }> }): void;
}

/** Metrics that can be scraped: the admin edge's side. */
export interface ScrapableMetrics extends Metrics {
  /** The text exposition format, and its content type. */
  scrape(): Promise<{ contentType: string; text: string }>;
  /** The sum of a metric's values that carry all of these labels; 0 when there is none of that name. */
  sum(name: string, labels?: Labels): Promise<number>;
}

/** A prom-client registry of its own (no global state). `process` adds the Node process's own metrics. */
export function createMetrics(options: { process: boolean }): ScrapableMetrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  const base = (spec: MetricSpec) => ({
    name: spec.name,
    help: spec.help,
    labelNames: [...(spec.labels ?? [])],
    registers: [registry],
  });
  return {
    counter(spec) {
      const counter = new PromCounter({ ...base(spec), ...(spec.beforeRead && { collect: spec.beforeRead }) });
      if (spec.labels === undefined) counter.inc(0);
      return { add: (count, labels) => counter.inc({ ...labels }, count) };
    },
    histogram(spec) {
      const histogram = new PromHistogram({ ...base(spec), buckets: [...spec.buckets] });
      return { observe: (value, labels) => histogram.observe({ ...labels }, value) };
    },
    gauge(spec) {
      new PromGauge({
        ...base(spec),
        collect() {
          this.reset();
          for (const { value, labels } of spec.read()) this.set({ ...labels }, value);
        },
      });
    },
    async sum(name, labels = {}) {
      const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
      const wanted = Object.entries(labels);
      const isAsked = (found: Readonly<Record<string, unknown>>) =>
        wanted.every(([key, value]) => found[key] === value);
      return values.filter((one) => isAsked(one.labels)).reduce((total, one) => total + one.value, 0);
    },
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Metrics that go nowhere. */
export const noMetrics: Metrics = {
  counter: () => ({ add: () => undefined }),
  histogram: () => ({ observe: () => undefined }),
  gauge: () => undefined,
};
