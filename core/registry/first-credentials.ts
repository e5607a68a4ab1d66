/** Several sources of credentials as one: the first that knows one decides. */
import type { Credential, CredentialSource } from './credentials.ts';

/** A source that fails is passed over; when no other knows any, its failure is what is said. */
export function firstCredentials(sources: readonly CredentialSource[]): CredentialSource {
  return {
    async get(host, options): Promise<Credential | undefined> {
      const failures: unknown[] = [];
      for (const source of sources) {
        try {
          const found = await source.get(host, options);
          if (found !== undefined) return found;
        } catch (error) {
          options.signal.throwIfAborted();
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return undefined;
    },
    version: async (options) => (await Promise.all(sources.map((source) => source.version(options)))).join(' | '),
  };
}
