/**
 * The tables of `docs/operations.md`, made from the code: `npm run docs` writes them between their marks, everything else in the page is
 * left as it is.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shape } from '../../core/runtime/config-schema.ts';
import { nodeShape } from '../../plugin/config/node-shape.ts';
import { warmerShape } from '../../warmer/config/warmer-shape.ts';
import { type ConfigKey, configKeys } from './config-keys.ts';
import { eventsInCode, metricsInCode } from './found-in-code.ts';
import { NODE_NOTES, SHARED_NOTES, WARMER_NOTES } from './key-notes.ts';

export const PAGE = join(import.meta.dirname, '../../docs/operations.md');

/** Stands for the host name. */
const HOST_NAME = 'the host name';

export function nodeKeys(): ConfigKey[] {
  return configKeys(nodeShape('host-name')).map((key) =>
    key.path === 'node.name' ? { ...key, fallback: HOST_NAME } : key,
  );
}

export function warmerKeys(): ConfigKey[] {
  const shape: Shape = warmerShape;
  return configKeys(shape);
}

/** By the name of their mark. */
export function tables(): ReadonlyMap<string, string> {
  return new Map([
    ['node keys', keyTable(nodeKeys(), NODE_NOTES)],
    ['warmer keys', keyTable(warmerKeys(), WARMER_NOTES)],
    ['metrics', metricTable()],
    ['events', eventTable()],
  ]);
}

/** The page with every table as it is now. @throws Error when a mark is missing */
export function withTables(page: string): string {
  return [...tables()].reduce((text, [name, table]) => {
    const [begin, end] = [`<!-- begin: ${name} (npm run docs) -->`, `<!-- end: ${name} -->`];
    const [before, after] = [text.indexOf(begin), text.indexOf(end)];
    if (before < 0 || after < before) throw new Error(`The page has no marks for "${name}"`);
    return `${text.slice(0, before + begin.length)}\n${table}${text.slice(after)}`;
  }, page);
}

function keyTable(keys: readonly ConfigKey[], notes: Readonly<Record<string, string>>): string {
  const rows = keys.map(({ path, fallback, words }) => {
    const note = notes[path] ?? SHARED_NOTES[path] ?? '';
    const shown = fallback === 'required' || fallback === HOST_NAME ? fallback : code(fallback);
    return [
      code(path),
      shown,
      words.length > 0 && !note.includes('`') ? `${note}: ${words.map(code).join(', ')}` : note,
    ];
  });
  return markdown(['key', 'default', 'what it is'], rows);
}

function metricTable(): string {
  const rows = metricsInCode().map(({ name, kind, labels, help }) => [
    code(labels.length === 0 ? name : `${name}{${labels.join(',')}}`),
    kind,
    help,
  ]);
  return markdown(['metric', 'kind', 'what it counts'], rows);
}

function eventTable(): string {
  const rows = eventsInCode()
    .filter(({ level }) => level !== 'debug')
    .map(({ level, text, room }) => [level, text, code(room)]);
  return markdown(['level', 'text', 'said by'], rows);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) await writeFile(PAGE, withTables(await readFile(PAGE, 'utf8')));
