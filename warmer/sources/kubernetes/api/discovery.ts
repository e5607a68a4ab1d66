/** Which of the wanted kinds a cluster serves, and by which paths (apimachinery `APIGroupList`, `APIResourceList`). */
import { isCode, messageOf } from '../../../../core/runtime/errors.ts';
import { Semaphore } from '../../../../core/runtime/semaphore.ts';
import { field, listField, textField } from '../../extract/values.ts';
import { clipped, type Unresolved } from '../../unresolved.ts';
import type { ApiClient } from './api-client.ts';
import { type Resource, versionPath } from './resource.ts';

/** A kind of some groups. */
export interface WantedKind {
  readonly kind: string;
  /** undefined: of whatever group. */
  readonly group: string | undefined;
}

export interface Discovered {
  /** Each kind of each group once, by its preferred version that has it. */
  readonly resources: readonly Resource[];
  /** Groups that did not answer: an aggregated API may be down by itself. */
  readonly unresolved: readonly Unresolved[];
}

/** Requests at once. */
const PARALLEL = 8;
/** A cluster with every operator there is has some hundreds. */
const GROUPS_MAX = 2_000;
const VERSIONS_MAX = 16;

interface Group {
  readonly group: string;
  /** The preferred one first. */
  readonly versions: readonly string[];
}

/**
 * Finds them. A kind of no particular group costs a look at every group.
 * @throws ApiError, CodedError as `ApiClient.json`, when the server does not even tell its groups
 */
export async function discover(
  client: ApiClient,
  wanted: readonly WantedKind[],
  options: { signal: AbortSignal },
): Promise<Discovered> {
  const groups = groupsOf(await client.json({ path: '/apis' }, options));
  const isAnyGroup = wanted.some(({ group }) => group === undefined);
  const asked = groups.filter(({ group }) => isAnyGroup || wanted.some((one) => one.group === group));
  const permits = new Semaphore({ permits: PARALLEL, waitersMax: GROUPS_MAX });
  const found = await Promise.all(
    asked.map((group) => permits.run(() => resourcesOfGroup(client, group, { wanted, ...options }), options)),
  );
  const resources = found.flatMap((one) => one.resources);
  return { resources: withoutOldNames(resources), unresolved: found.flatMap((one) => one.unresolved) };
}

/** The core is not among the groups. */
function groupsOf(list: unknown): Group[] {
  const named = listField(list, 'groups')
    .slice(0, GROUPS_MAX)
    .map((entry) => {
      const preferred = textField(entry, 'preferredVersion', 'version');
      const versions = listField(entry, 'versions').flatMap((version) => textField(version, 'version') ?? []);
      const inOrder = preferred === undefined ? versions : [preferred, ...versions.filter((one) => one !== preferred)];
      return { group: textField(entry, 'name') ?? '', versions: inOrder.slice(0, VERSIONS_MAX) };
    });
  return [{ group: '', versions: ['v1'] }, ...named];
}

async function resourcesOfGroup(
  client: ApiClient,
  { group, versions }: Group,
  { wanted, signal }: { wanted: readonly WantedKind[]; signal: AbortSignal },
): Promise<Discovered> {
  const kinds = new Set(wanted.filter((one) => (one.group ?? group) === group).map(({ kind }) => kind));
  const found = new Map<string, Resource>();
  const unresolved: Unresolved[] = [];
  for (const version of versions) {
    const path = versionPath({ group, version });
    try {
      const list = await client.json({ path }, { signal });
      for (const resource of resourcesOf(list, { group, version })) {
        if (kinds.has(resource.kind) && !found.has(resource.kind)) found.set(resource.kind, resource);
      }
    } catch (error) {
      signal.throwIfAborted();
      // A version may go while we look.
      if (!isCode(error, 'NOT_FOUND')) unresolved.push(unanswered(client.name, path, error));
    }
    if (found.size === kinds.size) break;
  }
  return { resources: [...found.values()], unresolved };
}

function unanswered(cluster: string, path: string, error: unknown): Unresolved {
  return {
    file: `${cluster}:${path}`,
    line: 1,
    value: path,
    reason: `Its kinds are not known: ${clipped(messageOf(error))}`,
  };
}

/** Those that can be listed; `deployments/status` is a part of another. */
function resourcesOf(list: unknown, { group, version }: { group: string; version: string }): Resource[] {
  return listField(list, 'resources').flatMap((entry) => {
    const [plural, kind] = [textField(entry, 'name'), textField(entry, 'kind')];
    const verbs = listField(entry, 'verbs');
    if (plural === undefined || kind === undefined || plural.includes('/') || !verbs.includes('list')) return [];
    const isNamespaced = field(entry, 'namespaced') === true;
    return [{ group, version, plural, kind, isNamespaced, canWatch: verbs.includes('watch') }];
  });
}

/** Old clusters serve the same Deployments as `extensions` too. */
function withoutOldNames(resources: readonly Resource[]): Resource[] {
  const inApps = new Set(resources.filter(({ group }) => group === 'apps').map(({ kind }) => kind));
  return resources.filter(({ group, kind }) => group !== 'extensions' || !inApps.has(kind));
}
