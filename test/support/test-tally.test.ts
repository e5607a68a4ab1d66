import { describe, expect, it } from '@jest/globals';
import { addTallies, tallyLine, tallyOfJest } from './test-tally.ts';

const RESULT = {
  numPassedTests: 7,
  numFailedTests: 2,
  numPendingTests: 3,
  numTodoTests: 1,
  numRuntimeErrorTestSuites: 1,
};

describe('tallyOfJest()', () => {
  it('counts files that could not run as failed, and todo as skipped', () => {
    expect(tallyOfJest(JSON.stringify(RESULT), false)).toEqual({ passed: 7, failed: 3, skipped: 4 });
  });

  it('counts a run without results as one failure', () => {
    expect(tallyOfJest('', true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(tallyOfJest('null', true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a bad end after good tests as one failure', () => {
    expect(tallyOfJest(JSON.stringify({ numPassedTests: 2 }), false)).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(tallyOfJest(JSON.stringify({ numPassedTests: 2 }), true)).toEqual({ passed: 2, failed: 0, skipped: 0 });
  });
});

describe('tallyLine()', () => {
  it('names skipped tests only when there are some', () => {
    const one = { passed: 1, failed: 0, skipped: 0 };
    expect(tallyLine(one)).toBe('1 passed, 0 failed');
    expect(tallyLine(addTallies([one, { passed: 2, failed: 1, skipped: 4 }]))).toBe('3 passed, 1 failed, 4 skipped');
  });
});
