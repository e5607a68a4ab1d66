import { describe, expect, it } from '@jest/globals';
import { sumOfMetric } from './metrics-text.ts';

const TEXT = [
  '# HELP claims_total Answers',
  '# TYPE claims_total counter',
  'claims_total{answer="fleet"} 3',
  'claims_total{answer="no",why="x"} 4',
  'claims_total_more{answer="fleet"} 9',
  'given_back_total 2',
  '',
].join('\n');

describe('sumOfMetric()', () => {
  it('adds up what has the name and all labels', () => {
    expect(sumOfMetric(TEXT, 'claims_total')).toBe(7);
    expect(sumOfMetric(TEXT, 'claims_total', { answer: 'fleet' })).toBe(3);
    expect(sumOfMetric(TEXT, 'given_back_total')).toBe(2);
  });

  it('is 0 for what was never counted', () => {
    expect(sumOfMetric(TEXT, 'claims_total', { answer: 'timeout' })).toBe(0);
    expect(sumOfMetric(TEXT, 'claims')).toBe(0);
  });
});
