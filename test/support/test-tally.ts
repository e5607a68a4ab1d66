/** Counting tests over several runs. Pure. */

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** `N passed, N failed`, and `, N skipped` when some were. */
export function tallyLine(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/**
 * The counts in the JSON that jest writes (`--outputFile`). A file that could not be run is one failure, and so is a run
 * that ended badly (`isGood` false) without a failed test or without a result.
 */
export function tallyOfJest(json: string, isGood: boolean): Tally {
  const counts = parseCounts(json);
  if (counts === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const failed = counts('numFailedTests') + counts('numRuntimeErrorTestSuites');
  return {
    passed: counts('numPassedTests'),
    failed: failed === 0 && !isGood ? 1 : failed,
    skipped: counts('numPendingTests') + counts('numTodoTests'),
  };
}

function parseCounts(json: string): ((name: string) => number) | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const object = value;
  return (name) => {
    const count: unknown = Reflect.get(object, name);
    return typeof count === 'number' ? count : 0;
  };
}
