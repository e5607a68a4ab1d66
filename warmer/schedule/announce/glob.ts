/** Shell patterns with `*` and `?`. Pure. */

/** Longer patterns and texts than names can be match nothing. */
const LENGTH_MAX = 512;

/** Matches in linear steps with one place to come back to, so that no pattern takes exponential time. */
export function isGlobMatch(glob: string, text: string): boolean {
  if (glob.length > LENGTH_MAX || text.length > LENGTH_MAX) return false;
  let at = 0;
  let in_ = 0;
  let starAt = -1;
  let starIn = 0;
  while (in_ < text.length) {
    if (glob[at] === '*') {
      starAt = at++;
      starIn = in_;
    } else if (glob[at] === '?' || glob[at] === text[in_]) {
      at += 1;
      in_ += 1;
    } else if (starAt >= 0) {
      at = starAt + 1;
      in_ = ++starIn;
    } else {
      return false;
    }
  }
  return /^\**$/.test(glob.slice(at));
}
