/** Other nodes whose containerd asks at once for the same blobs: what the claim rules need of the fleet beside a route. */
import type { Want } from '../../content/blob-source.ts';

export interface Crowd {
  /**
   * containerd is about to ask for these. Where nobody has one and this node cannot read its source, the fleet agrees on a few
   * nodes whose containerd fetches it: those have no route, everyone else has one. Calling it again is cheap.
   */
  gather(wants: readonly Want[]): void;
}
