/** One ingest's directory as containerd writes and reads it (containerd `plugins/content/local/store.go`, `status`). */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What an ingest's directory says. */
export interface IngestFacts {
  ref: string;
  offset: number;
  /** 0 when not told. */
  total: number;
  startedAtMs: number;
  updatedAtMs: number;
}

export function dataPathOf(directory: string): string {
  return join(directory, 'data');
}

/**
 * Makes the directory with all its files; `data` comes last, since a directory without it is no ingest. containerd waits
 * for this inside a database transaction: six small calls in a row take a fraction of what as many turns through
 * the thread pool would.
 */
export function createIngest(directory: string, facts: IngestFacts): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o755 });
  writeFileSync(join(directory, 'ref'), facts.ref);
  writeFileSync(join(directory, 'startedat'), timeText(facts.startedAtMs));
  writeFileSync(join(directory, 'updatedat'), timeText(facts.updatedAtMs));
  if (facts.total > 0) writeTotal(directory, facts.total);
  writeFileSync(dataPathOf(directory), '', { mode: 0o644 });
}

export function writeTotal(directory: string, total: number): void {
  writeFileSync(join(directory, 'total'), String(total));
}

export function writeUpdatedAt(directory: string, updatedAtMs: number): Promise<void> {
  return writeFile(join(directory, 'updatedat'), timeText(updatedAtMs));
}

/** A commit that failed after the bytes became read-only leaves them so; a resume writes again. */
export function makeWritable(directory: string): void {
  chmodSync(dataPathOf(directory), 0o644);
}

/** Every directory below `ingest/`, with what it says; undefined facts for what is no ingest. */
export function* readIngests(root: string): Generator<{ directory: string; facts: IngestFacts | undefined }> {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const directory = join(root, entry.name);
    yield { directory, facts: readIngest(directory) };
  }
}

function readIngest(directory: string): IngestFacts | undefined {
  try {
    const data = statSync(dataPathOf(directory));
    const ref = readFileSync(join(directory, 'ref'), 'utf8');
    const startedAtMs = Date.parse(readFileSync(join(directory, 'startedat'), 'utf8'));
    const updatedAtMs = Date.parse(readFileSync(join(directory, 'updatedat'), 'utf8'));
    if (ref === '' || Number.isNaN(startedAtMs) || Number.isNaN(updatedAtMs)) return undefined;
    // Not every write is noted in `updatedat`, so the file's own time may be later.
    const latestMs = Math.max(updatedAtMs, data.mtimeMs);
    return { ref, offset: data.size, total: readTotal(directory), startedAtMs, updatedAtMs: latestMs };
  } catch {
    return undefined;
  }
}

function readTotal(directory: string): number {
  try {
    const total = Number(readFileSync(join(directory, 'total'), 'utf8'));
    return Number.isSafeInteger(total) && total > 0 ? total : 0;
  } catch {
    return 0;
  }
}

/** RFC 3339 with microseconds, as Go's `time.Time.UnmarshalText` reads it. */
export function timeText(timeMs: number): string {
  const micros = Math.floor((timeMs - Math.floor(timeMs)) * 1000);
  return new Date(Math.floor(timeMs)).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}
