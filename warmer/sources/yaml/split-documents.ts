/** Where the documents of a YAML stream begin and end, without parsing them. Pure. */

export interface DocumentText {
  /** From its `---` line, if it has one, up to the next. */
  readonly text: string;
  /** The 1-based line that it starts at. */
  readonly line: number;
}

/** `---` at the start of a line always begins a document (YAML 1.1 §9.1: nothing else may stand there). */
const DOCUMENT_START = /^---(?=[ \t\r\n]|$)/gm;
const DIRECTIVES_ONLY = /^(?:[ \t]*(?:#.*)?(?:\r?\n|$)|%.*(?:\r?\n|$))*$/;

/**
 * The documents in order. What stands before the first `---` is one only if it holds more than comments and directives;
 * `%` directives stay with the document that follows them.
 */
export function* splitDocuments(text: string): Generator<DocumentText> {
  const starts = [...text.matchAll(DOCUMENT_START)].map((match) => match.index);
  let from = 0;
  let line = 1;
  for (const start of [...starts, text.length]) {
    const part = text.slice(from, start);
    const isPrefix = from === 0 && !part.startsWith('---') && DIRECTIVES_ONLY.test(part);
    if (isPrefix && start < text.length && part.includes('%')) continue;
    if (!isPrefix) yield { text: part, line };
    line += newlinesIn(part);
    from = start;
  }
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
