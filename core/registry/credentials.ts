/** Credentials for registries: what they are, and where they come from. They never appear in messages or logs. */
import { createHmac, randomBytes } from 'node:crypto';

export type Credential =
  | { kind: 'basic'; username: string; password: string }
  /** A refresh token (docker's `identitytoken`), exchanged at the token server. */
  | { kind: 'identity'; refreshToken: string }
  /** A bearer token used as it is (docker's `registrytoken`). */
  | { kind: 'bearer'; token: string }
  /** Nobody in particular, where someone asks in the name of another: the node's own credentials do not count then. */
  | { kind: 'anonymous' };

/** Where credentials come from. */
export interface CredentialSource {
  /**
   * The credential for a registry, by its name in references; undefined when there is none, which means anonymous.
   * `repository` lets sources that tell repositories apart choose.
   * @throws CodedError when a source that should have one cannot be read
   */
  get(host: string, options: { signal: AbortSignal; repository?: string }): Promise<Credential | undefined>;

  /** A text that changes when answers of `get` may have changed. Cheap. What helpers would say is not covered. */
  version(options: { signal: AbortSignal }): Promise<string>;
}

/** Nobody has any credential. */
export const anonymous: CredentialSource = {
  get: async () => undefined,
  version: async () => 'anonymous',
};

const FINGERPRINT_KEY = randomBytes(32);

/** Tells credentials apart in cache keys without keeping them there; means nothing outside this process. */
export function fingerprintOf(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  return createHmac('sha256', FINGERPRINT_KEY).update(JSON.stringify(credential)).digest('base64url');
}
