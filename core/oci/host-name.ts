/** The host in a registry's name. Pure. */

/** Without port and brackets, lower-case, as containerd's labels have it (Go's `URL.Hostname`): `[::1]:5000` is `::1`. */
export function hostNameOf(registry: string): string {
  const name = registry.toLowerCase();
  return /^\[([^\]]+)\]/.exec(name)?.[1] ?? (isBareV6(name) ? name : name.replace(/:\d+$/, ''));
}

export function hasPort(registry: string): boolean {
  return !isBareV6(registry) && /:\d+$/.test(registry);
}

function isBareV6(registry: string): boolean {
  return !registry.startsWith('[') && registry.split(':').length > 2;
}
