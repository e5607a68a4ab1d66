/** What changed between two looks at the members, numbered, so that whoever has one state can follow to the next. */
import { isDeepStrictEqual } from 'node:util';
import type { MemberView } from './member-view.ts';

export interface MemberChanges {
  /** The number of the state that these lead to. */
  readonly rev: number;
  readonly changed: readonly MemberView[];
  /** Names. */
  readonly gone: readonly string[];
}

export class MemberHistory {
  #rev = 0;
  #last = new Map<string, MemberView>();

  get rev(): number {
    return this.#rev;
  }

  members(): MemberView[] {
    return [...this.#last.values()];
  }

  /** @returns undefined when nothing changed */
  look(views: readonly MemberView[]): MemberChanges | undefined {
    const next = new Map(views.map((view) => [view.name, view]));
    const changed = views.filter((view) => {
      const before = this.#last.get(view.name);
      return before !== view && !isDeepStrictEqual(before, view);
    });
    const gone = [...this.#last.keys()].filter((name) => !next.has(name));
    this.#last = next;
    if (changed.length === 0 && gone.length === 0) return undefined;
    this.#rev += 1;
    return { rev: this.#rev, changed, gone };
  }
}
