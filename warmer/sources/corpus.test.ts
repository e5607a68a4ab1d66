/**
 * The corpus: shapes of the real world for every kind that the table knows, in test/fixtures/warmer/kinds, each with
 * what must be found beside it. A file that finds one image more, or one less, fails.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { knownKinds } from './extract/kinds.ts';
import { findImages } from './find-images.ts';
import { textDocuments } from './text-documents.ts';
import type { Unresolved } from './unresolved.ts';
import type { Workload } from './workload.ts';

interface Expected {
  images: { line: number; reference: string; role: string; kind: string; name: string }[];
  unresolved: { line?: number; document?: number }[];
}

const FOLDER = resolve(import.meta.dirname, '../../test/fixtures/warmer/kinds');
const FILES = readdirSync(FOLDER).filter((name) => /\.(?:ya?ml|json)$/.test(name) && !name.endsWith('.expected.json'));

function read(name: string): { workloads: Workload[]; unresolved: Unresolved[] } {
  const workloads: Workload[] = [];
  const unresolved: Unresolved[] = [];
  for (const item of textDocuments(readFileSync(join(FOLDER, name), 'utf8'), name)) {
    if (item.kind === 'unresolved') unresolved.push(item.unresolved);
    else {
      const found = findImages(item.document);
      workloads.push(...found.workloads);
      unresolved.push(...found.unresolved);
    }
  }
  return { workloads, unresolved };
}

function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(join(FOLDER, name.replace(/\.\w+$/, '.expected.json')), 'utf8'));
}

const sorted = (lines: string[]) => [...new Set(lines)].sort();

describe('findImages() over the corpus', () => {
  it.each(FILES)('finds in %s what must be found, at its line, and nothing else', (name) => {
    const { workloads } = read(name);
    const found = workloads.flatMap(({ images }) => images);
    const line = (image: Expected['images'][number]) =>
      `${String(image.line).padStart(4)} ${image.reference} ${image.role} ${image.kind} ${image.name}`;
    expect(sorted(found.map((use) => line({ ...use, name: use.name ?? '' })))).toEqual(
      sorted(expectedOf(name).images.map(line)),
    );
    expect(found.every((use) => use.file === name && use.path !== '')).toBe(true);
  });

  it.each(FILES)('tells of everything in %s that it cannot resolve, at its line', (name) => {
    const { unresolved } = read(name);
    const expected = expectedOf(name).unresolved;
    expect(unresolved.map(({ line, document }) => ({ line, document }))).toEqual(
      expected.map((one) => expect.objectContaining(one)),
    );
    expect(unresolved.every(({ reason }) => reason !== '')).toBe(true);
  });

  it('has an example of every group of the table', () => {
    const seen = new Set(FILES.flatMap((name) => read(name).workloads.map(({ apiVersion }) => groupIn(apiVersion))));
    const groups = new Set(knownKinds().map(({ group }) => group));
    const missing = [...groups].filter((group) => !seen.has(group));
    expect(missing.sort()).toEqual(OLD_GROUPS);
  });
});

/** Earlier names of groups that have an example under their present one. */
const OLD_GROUPS = [
  'apps.openshift.io',
  'extensions',
  'kubefledged.k8s.io',
  'serving.kubeflow.org',
  'trainer.kubeflow.org',
];

function groupIn(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
