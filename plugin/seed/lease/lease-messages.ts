/** Leases as messages between members. */
import { flagIn, messagesIn, numberIn, textIn } from '../../providers/wire-fields.ts';
import type { LeaseAsk, LeaseWord } from '../seed.ts';
import type { LeaseState } from './lease-book.ts';

const ACTIONS = ['acquire', 'renew', 'release'] as const;
const NAME_MAX = 100;
const HOLDER_MAX = 200;
export const LEASE_SECONDS_MAX = 3_600;

export function askMessage({ name, holder, action, seconds }: LeaseAsk, from: string): object {
  return { from, name, holder, action: ACTIONS.indexOf(action), seconds };
}

export function readAsk(message: object): LeaseAsk {
  return {
    name: textIn(message, 'name').slice(0, NAME_MAX),
    holder: textIn(message, 'holder').slice(0, HOLDER_MAX),
    action: ACTIONS[numberIn(message, 'action')] ?? 'renew',
    seconds: Math.min(numberIn(message, 'seconds'), LEASE_SECONDS_MAX),
  };
}

export function wordMessage(name: string, { isHeld, holder = '', fencing, remainingMs }: LeaseWord): object {
  return { held: isHeld, state: stateMessage({ name, holder, fencing, remainingMs }) };
}

export function readWord(message: object): LeaseWord {
  const { holder, fencing, remainingMs } = readState(message);
  return { isHeld: flagIn(message, 'held'), fencing, remainingMs, ...(holder !== '' && { holder }) };
}

export function stateMessage({ name, holder, fencing, remainingMs }: LeaseState): object {
  return { name, holder, fencing, remainingMs: Math.round(remainingMs) };
}

/** The state within a message. */
export function readState(message: object): LeaseState {
  const [state = {}] = messagesIn({ states: [Reflect.get(message, 'state')] }, 'states', 1);
  return {
    name: textIn(state, 'name').slice(0, NAME_MAX),
    holder: textIn(state, 'holder').slice(0, HOLDER_MAX),
    fencing: numberIn(state, 'fencing'),
    remainingMs: Math.min(numberIn(state, 'remainingMs'), LEASE_SECONDS_MAX * 1_000),
  };
}
