import { describe, expect, it } from '@jest/globals';
import { ANNOUNCERS } from '../../schedule/announce/announcers.ts';
import { excludedKinds, wantedKinds } from './listed-kinds.ts';

describe('wantedKinds()', () => {
  const wanted = wantedKinds([]);

  it('has every kind that announces a scale-out', () => {
    const missing = ANNOUNCERS.flatMap(({ kinds, groups }) =>
      kinds.flatMap((kind) =>
        groups
          .filter((group) => !wanted.some((one) => one.kind === kind && (group === '*' || one.group === group)))
          .map((group) => `${kind}.${group}`),
      ),
    );
    expect(missing.filter((name) => !NO_SUCH_KIND.has(name))).toEqual([]);
  });

  it('takes the kinds of the user, but none that are secret or never an image', () => {
    const kinds = ['Engine', 'Engine.example.com', 'Deployment.apps', 'ConfigMap', 'Secret', 'Secret.v1'];
    const named = wantedKinds(kinds).filter(
      (one) => !wanted.some((known) => known.kind === one.kind && known.group === one.group),
    );
    expect(named).toEqual([
      { kind: 'Engine', group: undefined },
      { kind: 'Engine', group: 'example.com' },
    ]);
    expect(excludedKinds(kinds)).toEqual(['ConfigMap', 'Secret', 'Secret.v1']);
    expect(wanted.some(({ kind }) => kind === 'ConfigMap' || kind === 'Secret')).toBe(false);
  });
});

/** A row of two kinds and two groups means fewer than four things. */
const NO_SUCH_KIND = new Set(['Deployment.apps.kruise.io', 'Job.jobset.x-k8s.io', 'JobSet.batch']);
