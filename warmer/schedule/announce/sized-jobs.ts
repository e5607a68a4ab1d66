/** Schedules that set a size: which of them make a workload larger. Pure. */

/**
 * True for the jobs that scale out. Which size holds before a job runs is not known for sure, so all are taken but those of
 * the smallest size: warming for one that comes to nothing costs a look, missing one costs a cold start.
 */
export function scaleOuts(sizes: readonly (number | undefined)[]): boolean[] {
  const known = sizes.filter((size) => size !== undefined);
  const smallest = Math.min(...known);
  const hasSteps = known.some((size) => size > smallest);
  return sizes.map((size) => size !== undefined && size > 0 && (!hasSteps || size > smallest));
}
