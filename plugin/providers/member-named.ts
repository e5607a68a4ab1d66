/** Finding a member by its name in a list that is asked again and again, and is replaced as a whole when it changes. */

const positions = new WeakMap<readonly object[], ReadonlyMap<string, number>>();

/** The member of that name. The list must not be changed in place. */
export function memberNamed<M extends { readonly name: string }>(members: readonly M[], name: string): M | undefined {
  const known = positions.get(members) ?? new Map(members.map((member, at) => [member.name, at]));
  positions.set(members, known);
  const at = known.get(name);
  return at === undefined ? undefined : members[at];
}
