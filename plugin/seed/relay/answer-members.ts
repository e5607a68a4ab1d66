/** What other members may ask of seeding on this node. */
import type { PeerHandler } from '../../peer/peer.ts';
import { callerMember } from '../../providers/caller-name.ts';
import type { LiveMembers, PeerService } from '../../providers/providers.ts';
import { digestOfBytes, numberIn, textIn, valuesIn } from '../../providers/wire-fields.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { PRESENCE_MAX } from '../limits.ts';
import type { NodeSeeding } from '../seed.ts';
import { factsMessage, newsMessage } from './news-messages.ts';
import { readOrder } from './order-messages.ts';
import { seedingMethods } from './seeding-methods.ts';

/** Nobody is kept waiting longer, whatever was asked. */
const WAIT_MS_MAX = 30_000;

/** Those that change something are for live members alone. */
export function seedingService(node: NodeSeeding, members: LiveMembers): PeerService {
  const { startSeed, watchSeed, cancelSeed, presence, facts } = seedingMethods();
  const ofMember =
    (handler: PeerHandler): PeerHandler =>
    async (request, caller) => {
      callerMember(caller.peer, textIn(request, 'from'), members());
      return handler(request, caller);
    };
  const onStart: PeerHandler = async (request, call) => {
    await node.begin(readOrder(request), call);
    return {};
  };
  const onWatch: PeerHandler = async (request, call) => {
    const waitMs = Math.min(numberIn(request, 'waitMs'), WAIT_MS_MAX);
    const watched = { id: textIn(request, 'id'), revision: numberIn(request, 'revision'), waitMs };
    return newsMessage(await node.watch(watched, call));
  };
  const onCancel: PeerHandler = async (request, call) => {
    await node.cancel(textIn(request, 'id'), call);
    return {};
  };
  const onPresence: PeerHandler = async (request, call) => {
    const digests = valuesIn(request, 'digests', PRESENCE_MAX).map((value) => {
      const digest = digestOfBytes(value);
      if (digest === undefined) throw new CodedError('INVALID_ARGUMENT', 'Presence is asked of what is no digest');
      return digest;
    });
    return { has: await node.presence(digests, call) };
  };
  return {
    handlers: [
      { method: startSeed, handler: ofMember(onStart) },
      { method: watchSeed, handler: ofMember(onWatch) },
      { method: cancelSeed, handler: ofMember(onCancel) },
      { method: presence, handler: onPresence },
      { method: facts, handler: async (_request, call) => factsMessage(await node.facts(call)) },
    ],
  };
}
