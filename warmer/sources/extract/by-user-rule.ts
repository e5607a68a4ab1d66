/** The third rule: what the user says. Pure. */
import type { ValuePath } from '../documents.ts';
import type { ImageUse } from '../workload.ts';
import { findByImageKey } from './by-image-key.ts';
import type { Collector } from './collector.ts';
import { embeddedDocuments } from './embedded.ts';
import { type FoundObject, namelessObject, objectAt } from './found-object.ts';
import { groupOf } from './kinds.ts';
import { matchPattern } from './path-pattern.ts';
import { podConstraints } from './pod-constraints.ts';
import type { UserRule } from './user-rule.ts';
import { isRecord, textField } from './values.ts';

export function findByUserRule(
  object: FoundObject,
  rule: UserRule,
  { into, onInner }: { into: Collector; onInner: (object: FoundObject) => void },
): void {
  if (!isFor(rule, object)) return;
  for (const { path, value } of matchPattern(object.value, rule.path)) {
    if (rule.decode !== 'none') findInText(object, path, { into, onInner });
    else if (into.claim(object, path)) {
      into.add(object, { template: path, images: imageAt(object, path, value, into), pod: podConstraints([]) });
    }
  }
}

function isFor(rule: UserRule, { kind, apiVersion }: FoundObject): boolean {
  return (
    rule.kinds.length === 0 || rule.kinds.some((name) => name === kind || name === `${kind}.${groupOf(apiVersion)}`)
  );
}

function imageAt(object: FoundObject, path: ValuePath, value: unknown, into: Collector): ImageUse[] {
  return into.use(object, { path, value: joined(value) ?? value, role: 'container', rule: 'user' });
}

/** Operators and charts like to write an image in parts. */
function joined(value: unknown): string | undefined {
  const repository = textField(value, 'repository') ?? textField(value, 'name');
  if (!isRecord(value) || repository === undefined) return undefined;
  const registry = textField(value, 'registry');
  const tag = textField(value, 'tag');
  const digest = textField(value, 'digest');
  const name = registry === undefined ? repository : `${registry}/${repository}`;
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function findInText(
  object: FoundObject,
  path: ValuePath,
  { into, onInner }: { into: Collector; onInner: (object: FoundObject) => void },
): void {
  for (const { document, pathPrefix } of embeddedDocuments(object, path, into)) {
    const inner = objectAt(document, document.value, { pathPrefix, around: object });
    if (inner !== undefined) onInner(inner);
    const whole = inner ?? namelessObject(document);
    if (whole !== undefined)
      findByImageKey({ ...whole, pathPrefix, kind: object.kind, name: object.name }, into, 'user');
  }
}
