/**
 * The corpus of announcements: every kind that the table knows, in test/fixtures/warmer-events, each with the events that it
 * announces beside it. All at one instant, a Saturday evening, two days ahead.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { SourceDocument } from '../sources/documents.ts';
import { findImages } from '../sources/find-images.ts';
import { textDocuments } from '../sources/text-documents.ts';
import { ANNOUNCERS } from './announce/announcers.ts';
import { predictEvents } from './predict.ts';
import type { Forecast } from './schedule.ts';

const FOLDER = resolve(import.meta.dirname, '../../test/fixtures/warmer-events');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const NOW = Date.parse('2026-11-21T20:40:00Z');
const HORIZON_MS = 48 * 3_600_000;

function documentsOf(name: string): SourceDocument[] {
  const items = [...textDocuments(readFileSync(join(FOLDER, name), 'utf8'), name)];
  return items.map((item) => {
    if (item.kind === 'unresolved') throw new Error(`${name}: ${item.unresolved.reason}`);
    return item.document;
  });
}

function forecast(name: string): Forecast {
  const documents = documentsOf(name);
  const workloads = documents.flatMap((document) => findImages(document).workloads);
  return predictEvents({ documents, workloads }, { nowMs: NOW, horizonMs: HORIZON_MS });
}

/** What is compared: everything but the targets, which the images stand for. */
function told({ events, unresolved }: Forecast) {
  const shown = events.map(({ targets: _, at, images, file: __, document: ___, ...event }) => ({
    at: new Date(at).toISOString().replace('.000Z', 'Z'),
    ...event,
    images: images.join(' '),
  }));
  return JSON.parse(
    JSON.stringify({
      events: shown,
      unresolved: unresolved.map(({ line, value, reason }) => ({ line, value, reason })),
    }),
  );
}

describe('predictEvents()', () => {
  it.each(FILES)('tells the events of %s', (name) => {
    const beside = join(FOLDER, name.replace('.yaml', '.events.json'));
    expect(told(forecast(name))).toEqual(JSON.parse(readFileSync(beside, 'utf8')));
  });

  it('is asked about every kind that the table knows', () => {
    const kinds = new Set(FILES.flatMap(documentsOf).map(({ value }) => (value as { kind: string }).kind));
    const known = ANNOUNCERS.flatMap((row) => row.kinds);
    // Stack is Zalando's own, and goes the way of a Deployment.
    expect(known.filter((kind) => !kinds.has(kind))).toEqual(['Stack']);
  });
});
