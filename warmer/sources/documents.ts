/**
 * What a source yields: plain documents that know where they stood. The rooms that read manifests (finding images,
 * predicting events) work on these, and know neither files nor YAML.
 */

/** Where a value stands inside a document: keys of maps, indexes of lists. */
export type ValuePath = readonly (string | number)[];

/** One document of a file, with positions. */
export interface SourceDocument {
  /**
   * As the user gave it, or found below a directory that the user gave; `-` for stdin. Of a cluster: its name and the object's
   * path, `kubernetes:/apis/apps/v1/namespaces/shop/deployments/web`.
   */
  readonly file: string;
  /** 1-based in its file; the items of a `List` share the number of the document that held them. */
  readonly document: number;
  /**
   * Plain JSON values (null, boolean, number, string, array, record), with YAML 1.1 meanings resolved. The items of a
   * Kubernetes `List` have become documents of their own.
   */
  readonly value: unknown;
  /** The 1-based line of the value at a path of `value`; that of its closest ancestor when it is not there. */
  lineOf(path: ValuePath): number;
}
