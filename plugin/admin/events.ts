/** What the admin edge says about itself. */
import { codeOf, messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';

export interface AdminEvents {
  listening(address: string): void;
  /** A request that ended in an error; ours only when it is INTERNAL. */
  failed(request: { method: string; path: string }, error: unknown): void;
}

export function createAdminEvents(log: Logger): AdminEvents {
  return {
    listening: (address) => log.info({ address }, 'Admin address is open'),
    failed: ({ method, path }, error) => {
      const code = codeOf(error);
      const fields = { method, path, code };
      if (code === 'INTERNAL') log.error({ ...fields, err: error }, 'Admin request failed');
      // What was asked for and did not come is worth a line: nobody else tells why a pull failed.
      else if (method === 'POST' && code !== 'CANCELLED')
        log.warn({ ...fields, reason: messageOf(error) }, 'Admin request failed');
      else log.debug({ ...fields, reason: messageOf(error) }, 'Admin request refused');
    },
  };
}
