/** What the claim rules tell operators: each event is one log record and, where it counts, one counter. */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Source } from '../../../core/oci/source.ts';
import { messageOf } from '../../../core/runtime/errors.ts';
import type { Logger } from '../../../core/runtime/log.ts';
import type { Metrics } from '../../../core/runtime/metrics.ts';
import type { ClaimReason } from './claim-rules.ts';

/** As in `shoal_claims_total`: claimed from this disk, from elsewhere, refused, or refused because the bound had passed. */
export type ClaimAnswer = 'local' | 'fleet' | 'no' | 'timeout';

export interface ClaimEvents {
  answered(digest: Digest, answer: ClaimAnswer, reason?: ClaimReason): void;
  /** A Write was about to begin: asked once more, and still not claimed. */
  leftToWrite(digest: Digest, reason?: ClaimReason): void;
  claimNotWritten(digest: Digest, error: unknown): void;
  met(digest: Digest): void;
  flightFailed(digest: Digest, error: unknown): void;
  givingBack(digest: Digest, reason: string): void;
  givenBack(digest: Digest): void;
  giveBackDelayed(digest: Digest, error: unknown): void;
  sourceLearned(digest: Digest, sources: readonly Source[]): void;
  notLearned(digest: Digest, error: unknown): void;
  compared(result: ComparedCounts): void;
  comparisonFailed(error: unknown): void;
  /** Most manifests that containerd lists are not here. */
  wrongDirectory(counts: { listed: number; missing: number }): void;
  taskFailed(error: unknown): void;
}

export interface ComparedCounts {
  readonly listed: number;
  readonly linked: number;
  readonly missing: number;
  readonly ended: number;
}

export function createClaimEvents(log: Logger, metrics: Metrics): ClaimEvents {
  const answers = metrics.counter({
    name: 'shoal_claims_total',
    help: 'Answers to Info, and to Writes that had not begun, for blobs that containerd did not hold here',
    labels: ['answer'],
  });
  const givenBack = metrics.counter({
    name: 'shoal_claims_given_back_total',
    help: 'Claims that could not be met and were taken back from containerd',
  });
  return {
    answered: (digest, answer, reason) => {
      answers.add(1, { answer });
      log.debug({ digest, answer, reason }, 'Claim decided');
    },
    leftToWrite: (digest, reason) => log.debug({ digest, reason }, 'Claim decided late: containerd fetches it'),
    claimNotWritten: (digest, error) => {
      answers.add(1, { answer: 'no' satisfies ClaimAnswer });
      log.error({ digest, err: error }, 'Claim cannot be written, so it is not made');
    },
    met: (digest) => log.debug({ digest }, 'Claim met'),
    flightFailed: (digest, error) => log.info({ digest, reason: messageOf(error) }, 'Claim waits for another attempt'),
    givingBack: (digest, reason) => log.warn({ digest, reason }, 'Claim cannot be met and is given back'),
    givenBack: (digest) => {
      givenBack.add(1);
      log.info({ digest }, 'Claim given back');
    },
    giveBackDelayed: (digest, error) => log.warn({ digest, reason: messageOf(error) }, 'Claim not given back yet'),
    sourceLearned: (digest, sources) => log.debug({ digest, sources }, 'Source learned'),
    notLearned: (digest, error) => log.debug({ digest, reason: messageOf(error) }, 'Manifest not learned'),
    compared: (result) => {
      const hasChanged = result.linked + result.missing + result.ended > 0;
      log[hasChanged ? 'info' : 'debug']({ ...result }, "Compared with containerd's lists");
    },
    comparisonFailed: (error) => log.warn({ reason: messageOf(error) }, "Comparison with containerd's lists failed"),
    wrongDirectory: (counts) =>
      log.error(
        { ...counts },
        'Most manifests that containerd lists are not here, so nothing is given back: is content.root right?',
      ),
    taskFailed: (error) => log.error({ err: error }, 'Claim task failed'),
  };
}
