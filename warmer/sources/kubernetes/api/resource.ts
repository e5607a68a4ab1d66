/** A kind as the API serves it, and the paths of its objects. Pure. */

export interface Resource {
  /** "" is the core. */
  readonly group: string;
  /** `v1`. */
  readonly version: string;
  /** `deployments`. */
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly canWatch: boolean;
}

/** One list that is asked for: a kind, in one namespace or in all. */
export interface Listing {
  readonly resource: Resource;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
}

export interface ListingScope {
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** A label selector. */
  readonly selector: string | undefined;
}

export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `/api/v1`, `/apis/apps/v1`. */
export function versionPath(resource: { group: string; version: string }): string {
  return `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}`;
}

/** `deployments.apps`, as kubectl names it. */
export function resourceName({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** The path of one object. */
export function objectPath(
  resource: Resource,
  { namespace, name }: { namespace?: string | undefined; name: string },
): string {
  return `${listPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

/** Of all objects of a kind, or of those of one namespace. */
export function listPath(resource: Resource, namespace?: string): string {
  const inside = resource.isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${versionPath(resource)}${inside}/${resource.plural}`;
}

/**
 * The lists that give the objects of a kind within a scope. The selector is for what lies in namespaces: a namespace and a
 * cluster-wide template have labels of their own.
 */
export function listingsOf(resource: Resource, { namespaces, selector }: ListingScope): Listing[] {
  if (resource.isNamespaced) {
    const query = { labelSelector: selector };
    const places = namespaces.length === 0 ? [undefined] : namespaces;
    return places.map((namespace) => ({ resource, path: listPath(resource, namespace), query }));
  }
  const isNamespace = resource.group === '' && resource.kind === 'Namespace';
  if (!isNamespace || namespaces.length === 0) return [{ resource, path: listPath(resource), query: {} }];
  // So a role that may see these namespaces only is enough.
  return namespaces.map((name) => ({
    resource,
    path: listPath(resource),
    query: { fieldSelector: `metadata.name=${name}` },
  }));
}
