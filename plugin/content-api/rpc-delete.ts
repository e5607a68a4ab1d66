/** Delete: containerd gives up its hold. The cache and warm pins may keep the bytes; an absent digest is no error. */
import { parseDigest } from '../../core/oci/digest.ts';
import type { DigestRequest, Empty } from './content-messages.ts';
import type { ContentServiceDeps } from './content-service.ts';

type DeleteDeps = Pick<ContentServiceDeps, 'store' | 'claims'>;

export function createDelete(deps: DeleteDeps): (request: DigestRequest) => Promise<Empty> {
  return async (request) => {
    const digest = parseDigest(request.digest);
    // The claim goes first: its flight must not put containerd's hold back after it was released.
    deps.claims.released(digest);
    await deps.store.release(digest, 'containerd');
    return {};
  };
}
