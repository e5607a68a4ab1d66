/** The calls between members about who has what (`proto/shoal/peer/v1/providers.proto`), and their messages as typed values. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { Digest } from '../../core/oci/digest.ts';
import type { PeerMethod } from '../peer/peer.ts';
import type { HoldingState, Provider } from './providers.ts';
import { digestBytes, digestIn, digestOfBytes, messagesIn, numberIn, textIn, valuesIn } from './wire-fields.ts';

/** Holdings in one announcement: 40 bytes each. */
export const ANNOUNCE_MAX = 1_000;
/** Digests in one look-up: more layers than an image may have. */
export const LOOK_UP_MAX = 128;
/** Providers told for one digest: enough to choose from. */
export const ANSWER_MAX = 24;

const PROTO = fileURLToPath(new URL('../../proto/shoal/peer/v1/providers.proto', import.meta.url));
const STATES = { whole: 1, fetching: 2, writing: 3 } as const satisfies Record<HoldingState, number>;
const GONE = 0;

export interface ProviderMethods {
  readonly announce: PeerMethod;
  readonly lookUp: PeerMethod;
}

let loaded: ProviderMethods | undefined;

/** Loaded once. */
export function providerMethods(): ProviderMethods {
  loaded ??= load();
  return loaded;
}

function load(): ProviderMethods {
  const service = loadSync(PROTO, { longs: Number, defaults: true })['shoal.peer.v1.Providers'];
  const method = (name: string): PeerMethod => {
    const found = service === undefined || 'format' in service ? undefined : service[name];
    if (found === undefined) throw new Error(`providers.proto has no call "${name}"`);
    return found;
  };
  return { announce: method('Announce'), lookUp: method('LookUp') };
}

/** What a member tells of one digest; without `state` it has it no more. */
export interface Holding {
  readonly digest: Digest;
  readonly state?: HoldingState;
  readonly pieces?: number;
}

export function announceRequest(from: string, holdings: readonly Holding[]): object {
  return {
    from,
    holdings: holdings.map(({ digest, state, pieces }) => ({
      digest: digestBytes(digest),
      state: state === undefined ? GONE : STATES[state],
      pieces: pieces ?? 0,
    })),
  };
}

export function readAnnounce(request: object): { from: string; holdings: Holding[]; unread: number } {
  const told = messagesIn(request, 'holdings', ANNOUNCE_MAX + 1);
  const holdings = told.slice(0, ANNOUNCE_MAX).flatMap((holding) => holdingIn(holding) ?? []);
  return { from: textIn(request, 'from'), holdings, unread: told.length - holdings.length };
}

function holdingIn(message: object): Holding | undefined {
  const digest = digestIn(message, 'digest');
  if (digest === undefined) return undefined;
  const wire = numberIn(message, 'state');
  if (wire === GONE) return { digest };
  const state = stateOf(wire);
  return state && { digest, state, pieces: numberIn(message, 'pieces') };
}

export function lookUpRequest(digests: readonly Digest[]): object {
  return { digests: digests.slice(0, LOOK_UP_MAX).map(digestBytes) };
}

export function readLookUp(request: object): Digest[] {
  return valuesIn(request, 'digests', LOOK_UP_MAX).flatMap((value) => digestOfBytes(value) ?? []);
}

export interface LookUpAnswer {
  readonly digest: Digest;
  readonly providers: readonly Provider[];
}

export function lookUpReply(answers: readonly LookUpAnswer[]): object {
  return {
    answers: answers.map(({ digest, providers }) => ({
      digest: digestBytes(digest),
      providers: providers.map(({ name, state, pieces }) => ({ name, state: STATES[state], pieces })),
    })),
  };
}

export function readLookUpReply(reply: object): LookUpAnswer[] {
  return messagesIn(reply, 'answers', LOOK_UP_MAX).flatMap((answer) => {
    const digest = digestIn(answer, 'digest');
    if (digest === undefined) return [];
    return [{ digest, providers: messagesIn(answer, 'providers', ANSWER_MAX).flatMap((one) => providerIn(one) ?? []) }];
  });
}

function providerIn(message: object): Provider | undefined {
  const state = stateOf(numberIn(message, 'state'));
  const name = textIn(message, 'name');
  if (state === undefined || name === '') return undefined;
  return { name, state, pieces: numberIn(message, 'pieces') };
}

function stateOf(wire: number): HoldingState | undefined {
  if (wire === STATES.whole) return 'whole';
  if (wire === STATES.fetching) return 'fetching';
  return wire === STATES.writing ? 'writing' : undefined;
}
