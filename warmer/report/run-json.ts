/** A run as `shoal warm run --json` prints it: one document, in pieces, since a large fleet has millions of rows. Pure. */
import { type RunResult, type RunRow, endOf, runRows, totalsOf } from './run-result.ts';

/** Places of a failed image. */
const PLACES_MAX = 10;

export function* runJsonChunks(result: RunResult): Generator<string> {
  const totals = totalsOf(result);
  yield `{\n  "at": ${JSON.stringify(new Date(result.atMs).toISOString().replace(/\.\d{3}Z$/, 'Z'))},\n`;
  yield `  "result": ${JSON.stringify(endOf(totals))},\n  "rows": [`;
  let isFirst = true;
  for (const row of runRows(result)) {
    yield `${isFirst ? '' : ','}\n    ${JSON.stringify(rowJson(row))}`;
    isFirst = false;
  }
  yield `${isFirst ? '' : '\n  '}],\n`;
  const unresolved = result.plan.unresolved.map(({ file, line, value, reason }) => ({ file, line, value, reason }));
  yield `  "unresolved": ${JSON.stringify(unresolved)},\n`;
  const { rows, present, fetched, verified, skipped, failed, bytesFetched } = totals;
  const seconds = Number((result.elapsedMs / 1000).toFixed(3));
  const sums = { rows, present, fetched, verified, skipped, failed, bytes_fetched: bytesFetched, seconds };
  yield `  "totals": ${JSON.stringify(sums)}\n}\n`;
}

function rowJson({ node, image, outcome }: RunRow): object {
  const { state, reason, isRetriable } = outcome;
  return {
    node: node ?? null,
    image: image.reference,
    digest: image.digest ?? null,
    state,
    bytes: outcome.bytesTotal === 0 ? (image.bytes ?? null) : outcome.bytesTotal,
    fetched: outcome.bytesFetched,
    verified: outcome.isVerified,
    ...(outcome.pinnedUntil !== undefined && { pinned_until: outcome.pinnedUntil }),
    ...(outcome.unpacked !== undefined && { unpacked: outcome.unpacked }),
    ...(state === 'skipped' && { skipped: reason ?? '', retriable: isRetriable }),
    ...(state === 'failed' && {
      failed: {
        digest: outcome.failedDigest ?? image.digest ?? null,
        code: outcome.code ?? null,
        reason: reason ?? '',
        retriable: isRetriable,
      },
      used_by: image.usedBy.slice(0, PLACES_MAX).map(({ file, line, document }) => ({ file, line, document })),
    }),
  };
}
