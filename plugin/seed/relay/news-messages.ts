/** What has changed of an order, and what a node says of itself, as messages and read from them. */
import { ERROR_CODES } from '../../../core/runtime/errors.ts';
import { digestBytes, digestIn, flagIn, messagesIn, numberIn, textIn } from '../../providers/wire-fields.ts';
import { IMAGES_MAX } from '../limits.ts';
import type { ImageRow, ImageState, NodeFacts, OrderNews } from '../seed.ts';

const STATES: readonly ImageState[] = ['waiting', 'fetching', 'unpacking', 'present', 'fetched', 'skipped', 'failed'];
/** A reason is a sentence or two. */
const REASON_MAX = 2_000;

export function newsMessage({ revision, rows, isDone }: OrderNews): object {
  return { revision, rows: rows.map(rowMessage), done: isDone };
}

function rowMessage(row: ImageRow): object {
  return {
    image: row.image,
    state: STATES.indexOf(row.state),
    bytesTotal: row.bytesTotal,
    bytesPresent: row.bytesPresent,
    bytesFetched: row.bytesFetched,
    blobsVerified: row.blobsVerified,
    blobsTotal: row.blobsTotal,
    pinnedUntilMs: row.pinnedUntilMs ?? 0,
    isUnpacked: row.isUnpacked ?? false,
    reason: (row.reason ?? '').slice(0, REASON_MAX),
    code: row.code ?? '',
    ...(row.failedDigest && { failedDigest: digestBytes(row.failedDigest) }),
    retriable: row.isRetriable,
    elapsedMs: row.elapsedMs,
  };
}

export function readNews(message: object): OrderNews {
  return {
    revision: numberIn(message, 'revision'),
    rows: messagesIn(message, 'rows', IMAGES_MAX).map(rowIn),
    isDone: flagIn(message, 'done'),
  };
}

function rowIn(message: object): ImageRow {
  const state = STATES[numberIn(message, 'state')] ?? 'waiting';
  const code = ERROR_CODES.find((one) => one === textIn(message, 'code'));
  const reason = textIn(message, 'reason').slice(0, REASON_MAX);
  const pinnedUntilMs = numberIn(message, 'pinnedUntilMs');
  const failedDigest = digestIn(message, 'failedDigest');
  return {
    image: numberIn(message, 'image'),
    state,
    bytesTotal: numberIn(message, 'bytesTotal'),
    bytesPresent: numberIn(message, 'bytesPresent'),
    bytesFetched: numberIn(message, 'bytesFetched'),
    blobsVerified: numberIn(message, 'blobsVerified'),
    blobsTotal: numberIn(message, 'blobsTotal'),
    isUnpacked: flagIn(message, 'isUnpacked'),
    isRetriable: flagIn(message, 'retriable'),
    elapsedMs: numberIn(message, 'elapsedMs'),
    ...(pinnedUntilMs > 0 && { pinnedUntilMs }),
    ...(reason !== '' && { reason }),
    ...(code && { code }),
    ...(failedDigest && { failedDigest }),
  };
}

export function factsMessage({ platform, freeBytes, roomBytes, canUnpack }: NodeFacts): object {
  const { os, architecture, variant = '' } = platform;
  return { os, architecture, variant, freeBytes, roomBytes, canUnpack };
}

export function readFacts(message: object): NodeFacts {
  const variant = textIn(message, 'variant');
  return {
    platform: {
      os: textIn(message, 'os'),
      architecture: textIn(message, 'architecture'),
      ...(variant !== '' && { variant }),
    },
    freeBytes: numberIn(message, 'freeBytes'),
    roomBytes: numberIn(message, 'roomBytes'),
    canUnpack: flagIn(message, 'canUnpack'),
  };
}
