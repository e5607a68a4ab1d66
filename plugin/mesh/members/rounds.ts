/**
 * The order in which members are probed: all of them in a random order, then again in another. Newcomers get a random place,
 * so that each is probed within two rounds. (SWIM, section 4.3; memberlist `state.go` probe, resetNodes)
 */
import type { MemberRecord } from './member-record.ts';
import { isGone } from './member-record.ts';
import type { MemberTable } from './member-table.ts';
import { pickRandom, shuffle } from './random-members.ts';

export interface RoundsDeps {
  readonly table: MemberTable;
  readonly random: () => number;
  /** Gone for longer than this, a member is forgotten when a round ends, milliseconds. */
  readonly forgetGoneMs: number;
  readonly onForget: (record: MemberRecord) => void;
}

export class Rounds {
  readonly #deps: RoundsDeps;
  #names: string[];
  #at = 0;

  constructor(deps: RoundsDeps) {
    this.#deps = deps;
    this.#names = [...deps.table.records()].map(({ name }) => name);
  }

  /** A member that was not there before. */
  add(name: string): void {
    const last = this.#names.length;
    const place = last === 0 ? 0 : Math.floor(this.#deps.random() * last);
    this.#names.push(name);
    [this.#names[place], this.#names[last]] = [name, this.#names[place] ?? name];
  }

  /** The next member to probe; undefined when nobody else is there. */
  next(nowMs: number): MemberRecord | undefined {
    const { table } = this.#deps;
    // What is left of this round, and the whole next one: enough to find somebody if anybody is there.
    for (let checked = 0; checked <= 2 * this.#names.length; ) {
      if (this.#at >= this.#names.length) {
        this.#restart(nowMs);
        checked += 1;
        continue;
      }
      const record = table.get(this.#names[this.#at] ?? '');
      this.#at += 1;
      if (record !== undefined && record !== table.self && !isGone(record)) return record;
      checked += 1;
    }
    return undefined;
  }

  /** Up to `count` members that `isWanted`, never ourselves. */
  pick(count: number, isWanted: (record: MemberRecord) => boolean): MemberRecord[] {
    const { table, random } = this.#deps;
    const isFit = (name: string) => {
      const record = table.get(name);
      return record !== undefined && record !== table.self && isWanted(record);
    };
    const names = pickRandom(this.#names, count, { random, isWanted: isFit });
    return names.flatMap((name) => table.get(name) ?? []);
  }

  #restart(nowMs: number): void {
    const { table, forgetGoneMs, onForget } = this.#deps;
    this.#names = this.#names.filter((name) => {
      const record = table.get(name);
      if (record === undefined) return false;
      const isOver = isGone(record) && record !== table.self && nowMs - record.sinceMs > forgetGoneMs;
      if (isOver) {
        table.forget(name);
        onForget(record);
      }
      return !isOver;
    });
    shuffle(this.#names, this.#deps.random);
    this.#at = 0;
  }
}
