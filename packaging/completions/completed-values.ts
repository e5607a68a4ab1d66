/** What a shell may offer where an option wants a value. Pure. */
import type { CommandOption } from '../command-tree.ts';

/** True when the next word is the option's, never a command. */
export function takesValue({ value }: CommandOption): boolean {
  return value?.startsWith('<') === true;
}

/** True for `<file>`, `[directory]` and the like, by the name that help shows. */
export function takesFile({ value }: CommandOption): boolean {
  return /file|dir|path/i.test(value ?? '');
}
