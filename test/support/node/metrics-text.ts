/** Prometheus' text format, as far as a test needs it. Pure. */

/**
 * The sum of a metric's samples that carry all of these labels; 0 when there is none.
 * `text`: what `/metrics` answered (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
export function sumOfMetric(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split('\n')
    .map((line) => /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line))
    .filter((found) => found !== null && found[1] === name && wanted.every((label) => hasLabel(found[2], label)))
    .reduce((sum, found) => sum + Number(found?.[3]), 0);
}

function hasLabel(labels: string | undefined, wanted: string): boolean {
  return (labels ?? '').split(',').includes(wanted);
}
