/** What `npm run bench:fleet` is asked to do. Pure. */
import { parseArgs } from 'node:util';
import { parseBytes, parseRate } from '../../core/runtime/units.ts';
import { NODES_MAX } from './address-plan.ts';

export const SCENARIO_NAMES = [
  'at-once',
  'waves',
  'ten-layers',
  'stragglers',
  'owner-killed',
  'registry-stopped',
  'liar',
] as const;

export type ScenarioName = (typeof SCENARIO_NAMES)[number];

export interface FleetOptions {
  readonly nodes: number;
  /** Of every node, each way. */
  readonly linkBytesPerSecond: number;
  /** Of the registry, each way. */
  readonly upstreamBytesPerSecond: number;
  /** Of one image, all layers together, before its tar headers. */
  readonly blobBytes: number;
  /** Pulled by every node before anything is measured, as a daemon that has run for a while has pulled before; 0 = not. */
  readonly warmBytes: number;
  readonly scenarios: readonly ScenarioName[];
  readonly rounds: number;
  /** Different seeds give images of different bytes. */
  readonly seed: string;
  /** memberlist's presets. */
  readonly preset: 'local' | 'lan' | 'wan';
  /** Of every machine's TCP; undefined = what Linux comes with, as far as namespaces may choose it (congestion.ts). */
  readonly congestion: string | undefined;
  /** Where blobs lie. */
  readonly store: 'tmpfs' | 'disk';
  /** Folder that the nodes' logs are copied to; undefined = they are thrown away. */
  readonly logs: string | undefined;
  readonly logLevel: 'info' | 'debug';
  /** Given to every node’s runtime (`--node-flags="--cpu-prof --cpu-prof-dir=/tmp/profiles"`); nodes then end by themselves. */
  readonly nodeFlags: readonly string[];
  readonly json: boolean;
}

/** Images are made in memory. */
const BLOB_BYTES_MAX = 2 ** 30;
const ROUNDS_MAX = 100;

/** @throws Error naming the option and what it may be */
export function parseFleetOptions(args: readonly string[]): FleetOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '16' },
      link: { type: 'string', default: '100mbit' },
      upstream: { type: 'string', default: '100mbit' },
      blob: { type: 'string', default: '128MiB' },
      warm: { type: 'string', default: '32MiB' },
      scenario: { type: 'string', default: SCENARIO_NAMES.join(',') },
      rounds: { type: 'string', default: '1' },
      seed: { type: 'string', default: 'fleet' },
      preset: { type: 'string', default: 'lan' },
      congestion: { type: 'string' },
      store: { type: 'string', default: 'tmpfs' },
      logs: { type: 'string' },
      'log-level': { type: 'string', default: 'info' },
      'node-flags': { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    nodes: count('--nodes', values.nodes, { min: 2, max: NODES_MAX }),
    linkBytesPerSecond: parseRate(values.link),
    upstreamBytesPerSecond: parseRate(values.upstream),
    blobBytes: blobBytesOf('--blob', values.blob, 1),
    warmBytes: blobBytesOf('--warm', values.warm, 0),
    scenarios: values.scenario.split(',').map((name) => oneOf('--scenario', name.trim(), SCENARIO_NAMES)),
    rounds: count('--rounds', values.rounds, { min: 1, max: ROUNDS_MAX }),
    seed: values.seed,
    preset: oneOf('--preset', values.preset, ['local', 'lan', 'wan'] as const),
    congestion: values.congestion,
    store: oneOf('--store', values.store, ['tmpfs', 'disk'] as const),
    logs: values.logs,
    logLevel: oneOf('--log-level', values['log-level'], ['info', 'debug'] as const),
    nodeFlags: values['node-flags'].split(' ').filter((flag) => flag !== ''),
    json: values.json,
  };
}

function blobBytesOf(option: string, text: string, least: number): number {
  const bytes = parseBytes(text);
  if (bytes < least || bytes > BLOB_BYTES_MAX) throw new Error(`${option} is "${text}", wanted ${least} bytes to 1GiB`);
  return bytes;
}

function count(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`${option} is "${text}", wanted a number from ${min} to ${max}`);
}

function oneOf<T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === text);
  if (found !== undefined) return found;
  throw new Error(`${option} is "${text}", wanted ${allowed.join(', ')}`);
}
