import { describe, expect, it } from '@jest/globals';
import { type NodeSeen, type RunSeen, runResult } from './run-result.ts';

const NODE: NodeSeen = {
  name: 'node-00',
  role: 'member',
  pull: { seconds: 10, failure: undefined },
  linkBytesPerSecond: 100,
  cpuSeconds: 1,
  rssPeakBytes: 100 * 2 ** 20,
  upstreamBytes: 500,
  peerBytesReceived: 400,
  peerBytesSent: 400,
  bans: 0,
  wrongBlobs: 0,
  bytesVerified: 900,
  lostBlobs: 0,
};

const RUN: RunSeen = {
  scenario: 'at-once',
  round: 0,
  imageBytes: 900,
  layers: 1,
  seconds: 10,
  registryBytes: 940,
  registryCpuSeconds: 0.5,
  rssSumPeakBytes: 200 * 2 ** 20,
  idleShare: 0.4,
  machineCpuSeconds: 12,
  membersKnown: 2,
  nodes: [NODE, { ...NODE, name: 'node-01', pull: { seconds: 12, failure: undefined } }],
};

const failing = { seconds: 3, failure: 'no source' };

describe('runResult()', () => {
  it('takes the larger count of copies and the nodes’ shares of their links', () => {
    const result = runResult(RUN);
    expect(result).toMatchObject({
      share: { median: 0.825, worst: 0.75 },
      stragglers: null,
      upstreamCopies: { byLink: 1.044, byNodes: 1.111 },
      cpuSeconds: { nodes: 2, registry: 0.5, machine: 12 },
      memoryMiB: { worstNode: 100, allNodes: 200 },
      bytesVerified: 1800,
      machineBound: false,
      goals: { upstreamCopies: false, noFailedPull: true },
    });
    expect(result.perNode.map(({ share }) => share)).toEqual([0.9, 0.75]);
  });

  it('says when the machine was measured', () => {
    expect(runResult({ ...RUN, idleShare: 0.149 }).machineBound).toBe(true);
  });

  it('keeps stragglers apart and measures them by their own link', () => {
    const slow: NodeSeen = {
      ...NODE,
      role: 'straggler',
      pull: { seconds: 100, failure: undefined },
      linkBytesPerSecond: 10,
    };
    expect(runResult({ ...RUN, nodes: [NODE, slow] })).toMatchObject({
      share: { median: 0.9, worst: 0.9 },
      stragglers: { median: 0.9, worst: 0.9 },
    });
  });

  it('counts no failure of a killed node, and a failed pull as no speed at all', () => {
    const killed = runResult({ ...RUN, nodes: [NODE, { ...NODE, role: 'killed', pull: failing }] });
    expect(killed).toMatchObject({ share: { worst: 0.9 }, failures: [] });
    const failed = runResult({ ...RUN, nodes: [NODE, { ...NODE, name: 'b', pull: failing }] });
    expect(failed).toMatchObject({ share: { worst: 0 }, failures: [{ name: 'b', failure: 'no source' }] });
  });

  it('excuses a failure without the registry only when nobody had what it lacks', () => {
    const stopped = (lostBlobs: number) =>
      runResult({ ...RUN, scenario: 'registry-stopped', nodes: [{ ...NODE, pull: failing, lostBlobs }] });
    expect(stopped(0)).toMatchObject({ share: null, failures: [], excusedFailures: 1 });
    expect(stopped(1)).toMatchObject({ failures: [{ name: 'node-00' }], excusedFailures: 0 });
  });

  it('counts wrong bytes of everyone but the liar', () => {
    const wrong = (role: NodeSeen['role']) =>
      runResult({ ...RUN, nodes: [{ ...NODE, role, wrongBlobs: 1 }] }).wrongBlobs;
    expect([wrong('member'), wrong('liar')]).toEqual([1, 0]);
  });
});
