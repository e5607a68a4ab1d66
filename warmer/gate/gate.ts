/** Whether images are warm on enough of their nodes. Pure. */
import { CodedError } from '../../core/runtime/errors.ts';
import type { Plan, PlannedImage } from '../plan/plan.ts';

/** A share of the nodes, or a number of them. */
export type Quorum =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'count'; readonly count: number };

export interface GateImage {
  readonly reference: string;
  readonly warm: number;
  /** Nodes that should have it, those without room for it included. */
  readonly nodes: number;
  readonly needed: number;
  readonly isWarm: boolean;
  /** Why not, where it is not the nodes: it was not resolved, or goes nowhere. */
  readonly reason: string | undefined;
}

/** `90%`, or `3` for so many nodes. @throws CodedError INVALID_ARGUMENT for anything else */
export function parseQuorum(text: string): Quorum {
  const [, digits, percent] = /^(\d{1,6}(?:\.\d{1,3})?)(%?)$/.exec(text.trim()) ?? [];
  const number = Number(digits);
  if (percent === '%' && number > 0 && number <= 100) return { kind: 'share', share: number / 100 };
  if (percent === '' && number >= 1 && Number.isInteger(number)) return { kind: 'count', count: number };
  throw new CodedError(
    'INVALID_ARGUMENT',
    `--quorum: "${text.slice(0, 100)}" is neither a share such as 90% nor a number`,
  );
}

/** @param references those that are asked for; empty: all of the plan */
export function gateImages(plan: Plan, references: readonly string[], quorum: Quorum): GateImage[] {
  const asked = new Set(references);
  const images = plan.images.filter(({ reference }) => asked.size === 0 || asked.has(reference));
  return images.map((image) => gateImage(image, plan, quorum));
}

function gateImage(image: PlannedImage, plan: Plan, quorum: Quorum): GateImage {
  const { reference, digest, nodeCount, missingNodeCount, refusedBy } = image;
  const nodes = nodeCount + refusedBy.length;
  // More than there are can never be reached by a count; a share of few is one at least.
  const needed = quorum.kind === 'count' ? quorum.count : Math.max(1, Math.ceil(nodes * quorum.share - 1e-9));
  const warm = digest === undefined ? 0 : nodeCount - missingNodeCount;
  const told = plan.unresolved.find(({ value }) => value === reference)?.reason;
  const reason = digest === undefined || nodes === 0 ? (told ?? 'No node is to have it') : undefined;
  return { reference, warm, nodes, needed, isWarm: nodes > 0 && warm >= needed, reason };
}
