/** Which pairs of a request have had their result. */
import type { SeedRequest } from '../../proto/shoal/seed/v1/seed-request.ts';

export class Answered {
  readonly #byNode = new Map<string, Set<string>>();

  add(node: string, reference: string): void {
    const references = this.#byNode.get(node) ?? new Set<string>();
    this.#byNode.set(node, references);
    references.add(reference);
  }

  /** Pairs of node and reference that nobody answered for. */
  *missing({ targets, images }: SeedRequest): Generator<[string, string]> {
    for (const node of targets) {
      const references = this.#byNode.get(node);
      for (const { ref } of images) if (!references?.has(ref)) yield [node, ref];
    }
  }
}
