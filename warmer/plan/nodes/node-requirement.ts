/** Node selector requirements as the scheduler reads them (kubernetes component-helpers `nodeaffinity`, apimachinery labels). */
import type { NodeRequirement, NodeSelectorTerm } from '../../sources/workload.ts';
import type { PlanNode } from '../plan-input.ts';

type Test = (value: string | undefined, values: readonly string[]) => boolean;

/** Go's `ParseInt(…, 10, 64)`. */
const WHOLE = /^[+-]?\d{1,19}$/;

const compare =
  (holds: (left: bigint, right: bigint) => boolean): Test =>
  (value, values) => {
    const wanted = values.length === 1 ? values[0] : undefined;
    if (value === undefined || wanted === undefined || !WHOLE.test(value) || !WHOLE.test(wanted)) return false;
    return holds(BigInt(value.replace('+', '')), BigInt(wanted.replace('+', '')));
  };

/** The API refuses lists where none belong and none where one does; such a requirement holds nowhere. */
const OPERATORS: Readonly<Record<string, Test>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => values.length > 0 && (value === undefined || !values.includes(value)),
  Exists: (value, values) => values.length === 0 && value !== undefined,
  DoesNotExist: (value, values) => values.length === 0 && value === undefined,
  Gt: compare((left, right) => left > right),
  Lt: compare((left, right) => left < right),
};

/** Every requirement of a term must hold; a term without any holds nowhere. */
export function matchesTerm(term: NodeSelectorTerm, node: PlanNode): boolean {
  if (term.labels.length + term.fields.length === 0) return false;
  return term.labels.every((one) => matchesLabel(one, node)) && term.fields.every((one) => matchesField(one, node));
}

function matchesLabel({ key, operator, values }: NodeRequirement, node: PlanNode): boolean {
  const value = Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
  return OPERATORS[operator]?.(value, values) ?? false;
}

/** The only field is the name, with one value. */
function matchesField({ key, operator, values }: NodeRequirement, node: PlanNode): boolean {
  if (key !== 'metadata.name' || values.length !== 1) return false;
  if (operator === 'In') return values[0] === node.name;
  return operator === 'NotIn' && values[0] !== node.name;
}
