/** `.env` files as docker compose reads them (compose-spec, "Env_file format"). Pure. */
import { interpolate } from './interpolate.ts';

/** Variables in one file. */
const VARIABLES_MAX = 10_000;
/** `NAME=value`, `export NAME=value`, `NAME: value`; a quoted value may hold line breaks. */
const LINE =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:=|:[ \t])[ \t]*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\r\n]*))/gm;

/** The variables of a file. Those of `known` may be used in it, and win over its own. */
export function parseEnvFile(text: string, known: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', single, double, bare = ''] of text.matchAll(LINE)) {
    if (found.size >= VARIABLES_MAX) break;
    const scope = new Map([...found, ...known]);
    if (single !== undefined) found.set(name, single);
    else if (double !== undefined) found.set(name, interpolate(unescaped(double), scope).text);
    else found.set(name, interpolate(withoutComment(bare), scope).text);
  }
  return found;
}

function withoutComment(value: string): string {
  return value.replace(/(?:^|\s)#.*$/, '').trim();
}

function unescaped(value: string): string {
  const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return value.replace(
    /\\(.)/gs,
    (whole, char: string) => escapes[char] ?? (char === '$' ? '$$' : /["\\]/.test(char) ? char : whole),
  );
}
