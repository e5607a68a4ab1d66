/** What is mounted below a directory, and taking it down again. Linux only. */
import { readFile } from 'node:fs/promises';
import { runCommand } from './run-command.ts';

/** Mount points at or below `directory`, innermost first. */
export async function mountsBelow(directory: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .toReversed();
}

/** Unmounts everything at or below `directory`, lazily where something still uses it. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of await mountsBelow(directory)) {
    const { exitCode } = await runCommand('umount', [point]);
    if (exitCode !== 0) await runCommand('umount', ['--lazy', point]);
  }
}

/** mountinfo writes space, tab, newline and backslash as \ooo (proc(5)). */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
