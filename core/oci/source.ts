/** Where a blob can be had from: a repository of a registry. */

export interface Source {
  /** The registry's name as references spell it, with its port when it has one: `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  /** The repository below it: `library/nginx`. */
  readonly repository: string;
  /** The repository may lie at another port of that host (containerd's labels leave ports out): only its own answer tells. */
  readonly isGuess?: boolean;
}

/** One text for one source, for maps and sets. */
export function sourceKey(source: Source): string {
  return `${source.registry}/${source.repository}`;
}
