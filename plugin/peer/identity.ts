/** By what a node shows that it belongs to the fleet, as the composition root has read it. */

/** Secrets: nothing of them is logged. */
export type PeerIdentity =
  /** The mesh keyring; the first key signs what this node presents, every key is trusted. */
  | { readonly kind: 'keyring'; readonly keys: readonly Uint8Array[] }
  /** The operator's own certificates, as PEM texts; the name of each node is its certificate's common name or first DNS name. */
  | { readonly kind: 'files'; readonly cert: string; readonly key: string; readonly ca: string }
  /** Asked for in as many words: anybody may connect. */
  | { readonly kind: 'insecure' }
  /** No key: loopback only. */
  | { readonly kind: 'none' };
