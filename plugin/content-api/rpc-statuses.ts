/** Status and ListStatuses: ingests, running or left behind. containerd polls them for its progress bars. */
import { CodedError, codeOf, messageOf } from '../../core/runtime/errors.ts';
import type { IngestStatus } from '../store/ingest-store.ts';
import {
  type FilterRequest,
  type ListStatusesResponse,
  type RefRequest,
  type StatusMessage,
  type StatusResponse,
  timestampOf,
} from './content-messages.ts';
import type { ContentServiceDeps } from './content-service.ts';
import { matchesAny, parseFilters } from './filter.ts';

interface Statuses {
  status(request: RefRequest): Promise<StatusResponse>;
  listStatuses(request: FilterRequest): Promise<ListStatusesResponse>;
}

export function createStatuses(deps: Pick<ContentServiceDeps, 'store'>): Statuses {
  return {
    async status({ ref }) {
      try {
        return { status: statusMessage(await deps.store.ingestStatus(ref)) };
      } catch (error) {
        const text = `Could not get status for ref "${ref.slice(0, 256)}": ${messageOf(error)}`;
        throw new CodedError(codeOf(error), text, { cause: error });
      }
    },
    async listStatuses({ filters }) {
      const parsed = parseFilters(filters);
      const all = await deps.store.ingestStatuses();
      const matching = all.filter(({ ref }) => matchesAny(parsed, (path) => (path[0] === 'ref' ? ref : undefined)));
      return { statuses: matching.map(statusMessage) };
    },
  };
}

function statusMessage(status: IngestStatus): StatusMessage {
  return {
    startedAt: timestampOf(status.startedAtMs),
    updatedAt: timestampOf(status.updatedAtMs),
    ref: status.ref,
    offset: status.offset,
    total: status.total,
    expected: status.expected ?? '',
  };
}
