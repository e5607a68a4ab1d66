/** How an API server is reached: its address, whom to trust there, and what to show. Secrets stay in memory. */
import type { TlsSettings } from '../../../../core/registry/http-transport.ts';

/** What goes with one request. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsSettings;
}

export interface ServerAccess {
  /** May have a path, below which the API stands. */
  readonly server: URL;
  /** How reports name the cluster: the context, or `in-cluster`. */
  readonly name: string;
  /** Where objects of our own belong: the context's or the pod's namespace. */
  readonly namespace: string;
  /**
   * What to show now. `isRefused`: what was shown before got a 401, so nothing that is remembered is used again.
   * @throws CodedError UNAUTHENTICATED when a file cannot be read or a plugin does not answer
   */
  credentials(options: { isRefused: boolean; signal: AbortSignal }): Promise<Credentials>;
}

/** The process's environment, as far as clusters are found by it. */
export type Environment = Readonly<Record<string, string | undefined>>;
