import { describe, expect, it } from '@jest/globals';
import { SendPace } from './send-pace.ts';

const KIB = 1024;

/** What is given next after each of these times. */
function givenAfter(...times: readonly number[]): number[] {
  const pace = new SendPace();
  return times.map((ms) => {
    pace.took(ms);
    return pace.bytes / KIB;
  });
}

describe('SendPace', () => {
  it('took() doubles what a quick reader is given, up to a bound', () => {
    expect(givenAfter(1, 250, 0, 0)).toEqual([128, 256, 256, 256]);
  });

  it('took() halves what a slow reader is given, down to a bound', () => {
    expect(givenAfter(0, 5_000, 5_000, 5_000, 5_000, 5_000)).toEqual([128, 64, 32, 16, 16, 16]);
  });

  it('took() leaves what is neither', () => {
    expect(givenAfter(251, 2_000)).toEqual([64, 64]);
  });
});
