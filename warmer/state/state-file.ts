/** What a warmer remembers from run to run, in one small file that is always whole: the rates of earlier runs. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fromErrno } from '../../core/runtime/errors.ts';
import type { RateMemory, RateSample } from '../schedule/rate-memory.ts';
import { field, isRecord, listField } from '../sources/extract/values.ts';

const VERSION = 1;
/** Twenty runs are two kilobytes. */
const FILE_LENGTH_MAX = 64 * 1024;
const SAMPLES_MAX = 100;

/** What cannot be read is as good as nothing: only how early a run begins depends on it. */
export async function readRates(file: string, onProblem: (error: unknown) => void): Promise<RateMemory> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length > FILE_LENGTH_MAX) throw new TypeError(`it has more than ${FILE_LENGTH_MAX} characters`);
    const state: unknown = JSON.parse(text);
    if (field(state, 'version') !== VERSION) throw new TypeError('it is of another version');
    return listField(state, 'rates').flatMap(sampleOf).slice(-SAMPLES_MAX);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') onProblem(error);
    return [];
  }
}

/** Written beside it, synced, then put in its place. @throws CodedError with what the file system said */
export async function writeRates(file: string, rates: RateMemory): Promise<void> {
  const beside = `${file}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(beside, 'w', 0o644);
    try {
      await handle.writeFile(`${JSON.stringify({ version: VERSION, rates })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw fromErrno(error, `Writing the warmer's state "${file}" failed`);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function sampleOf(value: unknown): RateSample[] {
  if (!isRecord(value)) return [];
  const { atMs, bytes, durationMs } = value;
  const isWhole = [atMs, bytes, durationMs].every(
    (part) => typeof part === 'number' && Number.isFinite(part) && part > 0,
  );
  return isWhole ? [{ atMs: Number(atMs), bytes: Number(bytes), durationMs: Number(durationMs) }] : [];
}
