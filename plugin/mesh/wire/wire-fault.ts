/** Why something received was dropped: the closed set of labels of the drop counter. */
export const DROP_REASONS = [
  'oversized',
  'malformed',
  'truncated',
  'unsupported',
  'checksum',
  'label',
  'undecryptable',
  'unencrypted',
  'other_member',
  'conflict',
  'incompatible',
  'members_full',
  'acks_full',
  'streams_full',
  'timeout',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** Bytes that are not what they should be. `truncated` also means "more may come" to those who read a stream. */
export class WireFault extends Error {
  override readonly name = 'WireFault';
  readonly reason: DropReason;

  constructor(reason: DropReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
