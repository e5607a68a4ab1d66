/** Metrics and events as the sources declare them: the literal calls, so that a page about them cannot invent any. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export interface FoundMetric {
  readonly name: string;
  readonly kind: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface FoundEvent {
  readonly level: (typeof LEVELS)[number];
  readonly text: string;
  /** The room that says it: `plugin/mesh`. */
  readonly room: string;
}

/** By name. */
export function metricsInCode(): FoundMetric[] {
  const call = /\.(counter|gauge|histogram)\(\{\s*([\s\S]*?)\}\)/g;
  const found = sources().flatMap(({ text }) =>
    [...text.matchAll(call)].flatMap(([, kind = '', body = '']) => {
      const name = /\bname: '(shoal_[a-z0-9_]+)'/.exec(body)?.[1];
      const help = /\bhelp: (?:'((?:[^'\\]|\\.)*)'|"([^"]*)")/.exec(body);
      const labels = /\blabels: \[([^\]]*)\]/.exec(body)?.[1] ?? '';
      if (name === undefined) return [];
      return [
        {
          name,
          kind,
          help: help?.[1] ?? help?.[2] ?? '',
          labels: [...labels.matchAll(/'([^']+)'/g)].map(([, label = '']) => label),
        },
      ];
    }),
  );
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By room, then by how bad they are. */
export function eventsInCode(): FoundEvent[] {
  const found = sources().flatMap(({ file, text }) =>
    [...text.matchAll(/\blog\.(error|warn|info|debug)\(/g)].flatMap((match) => {
      const level = LEVELS.find((one) => one === match[1]);
      const said = lastText(argumentsAt(text, match.index + match[0].length));
      return level === undefined || said === undefined ? [] : [{ level, text: said, room: roomOf(file) }];
    }),
  );
  const unique = new Map(found.map((event) => [`${event.room} ${LEVELS.indexOf(event.level)} ${event.text}`, event]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event);
}

/** Up to the bracket that closes the call. */
function argumentsAt(text: string, start: number): string {
  let depth = 1;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(start, at);
  }
  return '';
}

/** The last argument, where it is a text: what comes before it are its facts. */
function lastText(args: string): string | undefined {
  const found =
    /(?:^|,)\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"),?\s*$/.exec(args) ??
    /(?:\?|:|\{|\}|,)\s*'((?:[^'\\]|\\.)*)'\s*,?\s*$/.exec(args);
  const said = found?.[1] ?? found?.[2];
  return said === undefined || said.length < 4 ? undefined : said.replaceAll("\\'", "'");
}

function roomOf(file: string): string {
  return file.split('/').slice(0, 2).join('/').replace(/\.ts$/, '');
}

function sources(): { file: string; text: string }[] {
  return ['cli', 'core', 'plugin', 'warmer'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() && entry.name.endsWith('.ts') && !/\.test\.ts$|-conformance\.ts$|fakes?\//.test(entry.name),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => ({ file: relative(ROOT, path), text: readFileSync(path, 'utf8') })),
  );
}
