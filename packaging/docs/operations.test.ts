import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { eventsInCode, metricsInCode } from './found-in-code.ts';
import { NODE_NOTES, SHARED_NOTES, WARMER_NOTES } from './key-notes.ts';
import { PAGE, nodeKeys, warmerKeys, withTables } from './operations.ts';

describe('docs/operations.md', () => {
  it('says what the code says (npm run docs writes it again)', () => {
    const page = readFileSync(PAGE, 'utf8');
    expect(page).toBe(withTables(page));
  });

  it.each([
    ['node', nodeKeys, NODE_NOTES],
    ['warmer', warmerKeys, WARMER_NOTES],
  ] as const)('has a note for each key of the %s, and no other', (_name, keys, notes) => {
    const paths = keys().map(({ path }) => path);
    expect(paths.filter((path) => !(notes[path] ?? SHARED_NOTES[path]))).toEqual([]);
    expect(Object.keys(notes).filter((path) => !paths.includes(path))).toEqual([]);
  });

  it('a change of a default shows in the page', () => {
    const page = readFileSync(PAGE, 'utf8');
    expect(withTables(page.replace('| `mesh.preset` | `"lan"` |', '| `mesh.preset` | `"wan"` |'))).toBe(
      withTables(page),
    );
    expect(page).toContain('| `mesh.preset` | `"lan"` |');
  });
});

describe('metricsInCode()', () => {
  it('finds every name that stands in the sources, with what it counts', () => {
    const found = metricsInCode();
    expect(found.length).toBeGreaterThan(30);
    expect(found.filter(({ help }) => help === '')).toEqual([]);
    expect(found).toContainEqual(
      expect.objectContaining({ name: 'shoal_pieces_total', kind: 'counter', labels: ['source', 'result'] }),
    );
  });
});

describe('eventsInCode()', () => {
  it('finds what is logged, by level', () => {
    const events = eventsInCode();
    expect(events.length).toBeGreaterThan(80);
    expect(events).toContainEqual({ level: 'info', text: 'Node is ready', room: 'plugin/daemon' });
    expect(events).toContainEqual({ level: 'warn', text: 'Download failed', room: 'plugin/content' });
  });
});
