/** Places that the user points at, for kinds that neither the table nor a search can know. */
import type { PathPattern } from './path-pattern.ts';

export interface UserRule {
  /** `Engine`, `Engine.example.com`; empty: every document, also those that are no Kubernetes objects. */
  readonly kinds: readonly string[];
  readonly path: PathPattern;
  /**
   * `none`: the value is an image, or a map of `repository` and `tag` or `digest`. `yaml`, `json`: a text in which images
   * are looked for, objects as objects and keys named `image` anywhere.
   */
  readonly decode: 'none' | 'yaml' | 'json';
}
