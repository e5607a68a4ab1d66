/** The label that keeps meshes apart which share a network: 244, its length, its text. (memberlist `label.go`) */
import { CodedError } from '../../../core/runtime/errors.ts';
import { MESSAGE } from './message-type.ts';
import { WireFault } from './wire-fault.ts';

const LABEL_BYTES_MAX = 255;

/** What stands in front of every packet and stream; nothing for "". @throws CodedError INVALID_ARGUMENT when too long */
export function labelHeader(label: string): Buffer {
  const text = Buffer.from(label, 'utf8');
  if (text.length > LABEL_BYTES_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `A mesh label has ${text.length} bytes, at most ${LABEL_BYTES_MAX}`);
  }
  return text.length === 0 ? text : Buffer.concat([Buffer.of(MESSAGE.hasLabel, text.length), text]);
}

/**
 * What follows the header that we expect.
 * @throws WireFault: truncated while the header may not be whole, label when it is another one or there is none
 */
export function withoutLabel(bytes: Buffer, header: Buffer): Buffer {
  if (header.length === 0) {
    if (bytes[0] === MESSAGE.hasLabel) throw new WireFault('label', 'A label where none is expected');
    return bytes;
  }
  const found = bytes.subarray(0, header.length);
  if (!found.equals(header.subarray(0, found.length))) throw new WireFault('label', 'The label is another one');
  if (found.length < header.length) throw new WireFault('truncated', 'The label is cut short');
  return bytes.subarray(header.length);
}
