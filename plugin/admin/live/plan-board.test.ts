import { describe, expect, it } from '@jest/globals';
import { PlanBoard } from './plan-board.ts';

const EVENT = {
  at: '2026-11-22T09:00:00Z',
  start_by: '2026-11-22T08:40:00Z',
  kind: 'CronJob',
  namespace: null,
  name: 'nightly',
  replicas: 3,
  images: ['a:1'],
};
const IMAGE = { ref: 'a:1', digest: null, bytes: 10, nodes_wanted: 4, nodes_warm: 2 };
const PLAN = { at: '2026-11-22T08:00:00+01:00', warmer: 'w', events: [EVENT], images: [IMAGE], run: null };

describe('PlanBoard', () => {
  it('keeps the last plan, with when it came', () => {
    const board = new PlanBoard();
    expect([board.rev, board.answer()]).toEqual([0, { plan: null }]);
    board.keep(PLAN, 0);
    expect(board.rev).toBe(1);
    expect(board.answer().plan).toMatchObject({
      at: '2026-11-22T07:00:00.000Z',
      received_at: '1970-01-01T00:00:00.000Z',
      images: [IMAGE],
    });
  });

  it.each([
    ['no object', 7, /"plan" is not an object/],
    ['an unknown field', { ...PLAN, more: 1 }, /"plan.more" is not known/],
    ['no time', { ...PLAN, at: 'soon' }, /"at" is not a time/],
    ['a number missing', { ...PLAN, images: [{ ...IMAGE, nodes_warm: undefined }] }, /"images\[0\].nodes_warm"/],
    ['a negative number', { ...PLAN, images: [{ ...IMAGE, bytes: -1 }] }, /"images\[0\].bytes"/],
    ['too many events', { ...PLAN, events: Array.from({ length: 501 }, () => EVENT) }, /a list of at most 500/],
    ['a run without an end that is a time', { ...PLAN, run: { started_at: PLAN.at, ended_at: 5 } }, /"run.ended_at"/],
  ])('refuses %s, and keeps the one before', (_name, body, message) => {
    const board = new PlanBoard();
    board.keep(PLAN, 0);
    expect(() => board.keep(body, 1)).toThrow(message);
    expect(board.rev).toBe(1);
  });
});
