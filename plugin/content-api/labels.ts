/** The bounds of labels (containerd `pkg/labels/validate.go`, and one of ours on their number). */
import { CodedError } from '../../core/runtime/errors.ts';

/** Bytes of a label's key and value together, as containerd bounds them. */
export const LABEL_BYTES_MAX = 4096;

/** Labels of one blob; containerd sets a handful, garbage collection labels one for each child. */
export const LABELS_MAX = 1024;

/** @throws CodedError INVALID_ARGUMENT naming the label that is too long */
export function checkLabels(labels: ReadonlyMap<string, string>): void {
  if (labels.size > LABELS_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `A blob has ${labels.size} labels; at most ${LABELS_MAX} are kept`);
  }
  for (const [key, value] of labels) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes > LABEL_BYTES_MAX) {
      const shown = key.slice(0, 64);
      throw new CodedError(
        'INVALID_ARGUMENT',
        `Label "${shown}" has ${bytes} bytes; at most ${LABEL_BYTES_MAX} are allowed`,
      );
    }
  }
}
