/** Every key of the warmer's configuration file with its default: the one place where these are written. */
import { validate } from 'node-cron';
import { REGISTRIES_MAX, registryHost, registrySettings } from '../../core/registry/registry-settings.ts';
import { parseHostPort } from '../../core/runtime/config-address.ts';
import { absolutePath } from '../../core/runtime/config-path.ts';
import {
  choice,
  flag,
  integer,
  list,
  oneOf,
  optional,
  parsed,
  required,
  section,
  sections,
} from '../../core/runtime/config-schema.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { LOG_LEVELS } from '../../core/runtime/log.ts';
import { parseBytes, parseDuration } from '../../core/runtime/units.ts';
import { parsePattern } from '../sources/extract/path-pattern.ts';
import { positionedList } from './positioned-list.ts';

const SOURCES_MAX = 256;
const RULES_MAX = 256;
const LISTED_IMAGES_MAX = 10_000;
const NAMES_MAX = 1_000;
/** Beyond this one node is asked to relay more than it can. */
const PARALLEL_NODES_MAX = 10_000;
const PARALLEL_BLOBS_MAX = 256;
const COPIES_MAX = 100_000;
/** Beyond this a registry answers 429 long before. */
const CONCURRENCY_MAX = 1024;
const RESERVE_MAX = 1_000_000;

export const SOURCE_KINDS = ['files', 'compose', 'kubernetes', 'images'] as const;

/** A source of any kind; which keys belong to which is said in `warmer-conflicts.ts`. */
const sourceShape = {
  kind: required('kind', 'files', oneOf(SOURCE_KINDS)),
  /** files, compose: a file, a directory, or `-`. */
  path: optional('path', '', (text) => text),
  /** files: value files for charts, in their order. */
  values: list('values', nonEmpty, { max: NAMES_MAX }),
  /** compose: files merged over the first. */
  overrides: list('overrides', nonEmpty, { max: NAMES_MAX }),
  profiles: list('profiles', nonEmpty, { max: NAMES_MAX }),
  /** compose: in place of the project's `.env`. */
  envFiles: list('env_files', nonEmpty, { max: NAMES_MAX }),
  /** kubernetes: undefined = the pod's own service account, else $KUBECONFIG or ~/.kube/config. */
  kubeconfig: optional('kubeconfig', '', absolutePath),
  context: optional('context', '', (text) => text),
  /** kubernetes: empty = all. */
  namespaces: list('namespaces', namespaceName, { max: NAMES_MAX }),
  /** kubernetes: a label selector. */
  selector: optional('selector', '', (text) => text),
  images: positionedList('list', { max: LISTED_IMAGES_MAX }),
};

export const warmerShape = {
  /** One node's admin address; it relays to the others. */
  node: parsed('node', '127.0.0.1:7950', parseHostPort),
  tokenFile: optional('token_file', '', absolutePath),
  /** Rates of earlier runs; undefined = nothing is kept. */
  stateFile: optional('state_file', '/var/lib/shoal/warmer-state.json', absolutePath),
  /** Prometheus, for `warm serve`; undefined = off. */
  metricsListen: optional('metrics_listen', '', parseHostPort),
  /** Who keeps two warmers apart. `auto`: a cluster's Lease where a source is a cluster, else the mesh. */
  lease: choice('lease', ['auto', 'kubernetes', 'mesh', 'off'], 'auto'),
  sources: sections('source', sourceShape, { max: SOURCES_MAX }),
  search: section('search', {
    /** Also take any text under a key named `image`. */
    anyImageKey: flag('any_image_key', false),
  }),
  rules: sections(
    'rule',
    {
      /** `Engine` or `Engine.example.com`; empty = every document. */
      kinds: list('kinds', nonEmpty, { max: NAMES_MAX }),
      path: required('path', 'image', parsePattern),
      decode: choice('decode', ['none', 'yaml', 'json'], 'none'),
    },
    { max: RULES_MAX },
  ),
  schedule: section('schedule', {
    /** node-cron's syntax; undefined = only before events. */
    cron: optional('cron', '*/30 * * * *', cronExpression),
    timezone: parsed('timezone', 'UTC', timeZone),
    /** How far ahead events are looked for. */
    horizonMs: parsed('horizon', '24h', parseDuration),
    /** Everything is warm this long before an event. */
    marginMs: parsed('margin', '5m', parseDuration),
    /** The lead when bytes or rates are not known. */
    defaultReplicasLeadMs: parsed('default_replicas_lead', '10m', parseDuration),
  }),
  target: section('target', {
    level: choice('level', ['content', 'image'], 'content'),
    nodes: choice('nodes', ['all', 'schedulable', 'copies'], 'schedulable'),
    copies: integer('copies', 3, { min: 1, max: COPIES_MAX }),
    /** Kept at least this long after the event. */
    pinMs: parsed('pin', '2h', parseDuration),
    /** 0 = paused. */
    parallelNodes: integer('parallel_nodes', 50, { min: 0, max: PARALLEL_NODES_MAX }),
    /** On one node. */
    parallelBlobs: integer('parallel_blobs', 4, { min: 1, max: PARALLEL_BLOBS_MAX }),
    maxBytesPerNode: optional('max_bytes_per_node', '', parseBytes),
    /** What is not done then is reported as failed, and left for the next run. */
    deadlineMs: parsed('deadline', '1h', deadline),
  }),
  upstream: section('upstream', {
    concurrency: integer('concurrency', 8, { min: 1, max: CONCURRENCY_MAX }),
    /** Pulls that are left to others before a registry's limit is reached. */
    reserve: integer('reserve', 20, { min: 0, max: RESERVE_MAX }),
    /** Registries that may be asked; empty = any. */
    allow: list('allow', registryHost, { max: REGISTRIES_MAX }),
    dockerConfig: optional('docker_config', '', absolutePath),
    registries: registrySettings,
  }),
  log: section('log', {
    level: choice('level', LOG_LEVELS, 'info'),
    format: choice('format', ['json', 'pretty', 'auto'], 'auto'),
  }),
};

function nonEmpty(text: string): string {
  if (text === '') throw new CodedError('INVALID_ARGUMENT', 'It is empty');
  return text;
}

/** Bounds of a seed on the wire (proto/shoal/seed/v1). */
function deadline(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 1000 && ms <= 86_400_000) return ms;
  throw new CodedError('INVALID_ARGUMENT', `"${text.slice(0, 100)}" is not between 1s and 24h`);
}

/** RFC 1123 label (kubernetes/apimachinery validation). */
function namespaceName(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new CodedError('INVALID_ARGUMENT', `"${text.slice(0, 100)}" is not the name of a namespace`);
}

function cronExpression(text: string): string {
  if (text.length <= 200 && validate(text)) return text;
  throw new CodedError('INVALID_ARGUMENT', `"${text.slice(0, 100)}" is not a cron expression such as "*/30 * * * *"`);
}

function timeZone(text: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch (cause) {
    const reason = `"${text.slice(0, 100)}" is not a time zone such as "Europe/Berlin"`;
    throw new CodedError('INVALID_ARGUMENT', reason, { cause });
  }
}
