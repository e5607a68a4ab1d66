/**
 * The patterns of `~=` filters: Go's regular expressions (RE2 syntax), matched in time linear in the text. A JavaScript
 * RegExp may take exponential time for a pattern like `(a+)+$`, and a filter comes from outside; so a pattern becomes a small
 * program whose states all step over the text together (Thompson 1968; https://swtch.com/~rsc/regexp/regexp2.html).
 * Only whether it matches anywhere matters, so captures are not kept and lazy means the same as greedy.
 */
import { parsePattern } from './filter-pattern-parser.ts';

/** One step: take a character, fork, or stand at a place. */
export type Step =
  | { readonly kind: 'take'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'fork'; readonly first: number; readonly second: number }
  | { readonly kind: 'at'; readonly holds: (before: string | undefined, after: string | undefined) => boolean }
  | { readonly kind: 'match' };

export interface Pattern {
  matches(text: string): boolean;
}

/** Undefined when `source` is not a pattern that RE2 would take, or is too large. */
export function compilePattern(source: string): Pattern | undefined {
  const steps = parsePattern(source);
  return steps === undefined ? undefined : { matches: (text) => run(steps, [...text]) };
}

function run(steps: readonly Step[], text: readonly string[]): boolean {
  let waiting: number[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    const reached = spread(steps, [...waiting, 0], { before: text[at - 1], after: text[at] });
    if (reached === 'matched') return true;
    const character = text[at];
    if (character === undefined) return false;
    waiting = [];
    for (const index of reached) {
      const step = steps[index];
      if (step?.kind === 'take' && step.accepts(character)) waiting.push(index + 1);
    }
  }
  return false;
}

/** Every taking step that can be reached without taking a character; each step is visited once. */
function spread(
  steps: readonly Step[],
  from: number[],
  here: { before: string | undefined; after: string | undefined },
): 'matched' | number[] {
  const seen = new Set<number>();
  const taking: number[] = [];
  for (let index = from.pop(); index !== undefined; index = from.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const step = steps[index];
    if (step?.kind === 'match') return 'matched';
    if (step?.kind === 'take') taking.push(index);
    if (step?.kind === 'fork') from.push(step.first, step.second);
    if (step?.kind === 'at' && step.holds(here.before, here.after)) from.push(index + 1);
  }
  return taking;
}
