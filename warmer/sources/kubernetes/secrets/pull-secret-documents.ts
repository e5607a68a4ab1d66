/**
 * The service accounts and pull secrets that pods name, each got by its name: a role needs no right to list secrets, and nothing
 * that nobody asked for is ever here. Other secrets of the same names are let go unread.
 */
import { isCode, messageOf } from '../../../../core/runtime/errors.ts';
import { isRecord, listField, textField } from '../../extract/values.ts';
import type { SourceItem } from '../../source.ts';
import { clipped } from '../../unresolved.ts';
import type { ApiClient } from '../api/api-client.ts';
import { objectPath, type Resource } from '../api/resource.ts';
import type { NamespacedName, PullNames } from './pull-names.ts';

/** Requests at once. */
const PARALLEL = 8;
const CORE = { group: '', version: 'v1', isNamespaced: true, canWatch: true } as const;
const ACCOUNTS: Resource = { ...CORE, plural: 'serviceaccounts', kind: 'ServiceAccount' };
const SECRETS: Resource = { ...CORE, plural: 'secrets', kind: 'Secret' };
const PULL_TYPES = new Set(['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg']);

/** As documents, for whoever keeps pull secrets in memory. What is not permitted is told once for each namespace. */
export async function* pullSecretDocuments(
  client: ApiClient,
  names: PullNames,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  const told = new Set<string>();
  for await (const item of gotten(client, ACCOUNTS, names.accounts, { told, signal })) {
    if (item.kind === 'document') takeSecretsOf(item.document.value, names);
    yield item;
  }
  for await (const item of gotten(client, SECRETS, names.secrets, { told, signal })) {
    if (item.kind !== 'document' || PULL_TYPES.has(textField(item.document.value, 'type') ?? '')) yield item;
  }
}

function takeSecretsOf(account: unknown, names: PullNames): void {
  const namespace = textField(account, 'metadata', 'namespace') ?? 'default';
  for (const entry of listField(account, 'imagePullSecrets')) {
    const name = textField(entry, 'name');
    if (name !== undefined) names.takeSecret(namespace, name);
  }
}

async function* gotten(
  client: ApiClient,
  resource: Resource,
  names: Iterable<NamespacedName>,
  { told, signal }: { told: Set<string>; signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  const all = [...names];
  for (let from = 0; from < all.length; from += PARALLEL) {
    const some = all.slice(from, from + PARALLEL);
    // Who may not read one of a namespace may seldom read another; asking for each would take all day.
    const asked = some.filter(({ namespace }) => !told.has(`${resource.kind} ${namespace}`));
    const items = await Promise.all(asked.map((name) => getOne(client, resource, name, signal)));
    for (const [index, item] of items.entries()) {
      const key = `${resource.kind} ${asked[index]?.namespace}`;
      if (item === undefined || (item.kind === 'unresolved' && told.has(key))) continue;
      if (item.kind === 'unresolved') told.add(key);
      yield item;
    }
  }
}

/** undefined when it is not there: a pod may name secrets that do not exist. */
async function getOne(
  client: ApiClient,
  resource: Resource,
  name: NamespacedName,
  signal: AbortSignal,
): Promise<SourceItem | undefined> {
  const path = objectPath(resource, name);
  const file = `${client.name}:${path}`;
  try {
    const value = await client.json({ path }, { signal });
    if (!isRecord(value)) return undefined;
    const { data, stringData: _, ...rest } = value;
    const isPullSecret = PULL_TYPES.has(textField(value, 'type') ?? '');
    const kept = { apiVersion: 'v1', kind: resource.kind, ...rest, ...(isPullSecret && { data }) };
    return { kind: 'document', document: { file, document: 1, value: kept, lineOf: () => 1 } };
  } catch (error) {
    signal.throwIfAborted();
    if (isCode(error, 'NOT_FOUND')) return undefined;
    const what = isCode(error, 'PERMISSION_DENIED') ? 'Not permitted to get' : 'Not got';
    const reason = `${what}: ${clipped(messageOf(error))}`;
    return {
      kind: 'unresolved',
      unresolved: { file, line: 1, value: `${resource.plural} of ${name.namespace}`, reason },
    };
  }
}
