/**
 * Info: the door. containerd asks it inside a write transaction before it opens a writer, and takes a yes for "committed".
 * So a known digest is answered in the same turn, and an unknown one within the claim rules' bound.
 */
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import { CodedError, messageOf } from '../../core/runtime/errors.ts';
import type { BlobStat } from '../store/blob-store.ts';
import type { InfoRequest, InfoResponse } from './content-messages.ts';
import type { ContentServiceDeps } from './content-service.ts';
import { infoOfBlob, infoOfClaim } from './info-message.ts';

type InfoDeps = Pick<ContentServiceDeps, 'store' | 'claims' | 'log'>;

export function createInfo(deps: InfoDeps): (request: InfoRequest) => InfoResponse | Promise<InfoResponse> {
  return (request) => {
    const digest = parseDigest(request.digest);
    const blob = deps.store.stat(digest);
    if (blob?.holds.has('containerd')) return { info: infoOfBlob(blob, deps.store) };
    if (blob !== undefined) return infoOfKept(deps, blob);
    const claim = deps.claims.asked(digest);
    return claim === undefined ? decide(deps, digest) : { info: infoOfClaim(claim) };
  };
}

/** A blob that only the cache or a pin keeps gets containerd's hold first, since containerd believes to own it from now on. */
function infoOfKept(deps: InfoDeps, blob: BlobStat): InfoResponse | Promise<InfoResponse> {
  if (!deps.claims.givesLocal(blob.digest)) throw notHere(blob.digest);
  const answer = { info: infoOfBlob(blob, deps.store) };
  const held = deps.store.hold(blob.digest, 'containerd');
  if (deps.store.stat(blob.digest)?.holds.has('containerd') !== true) return held.then(() => answer);
  // The link is there; waiting until it would survive a power cut would make the whole node wait.
  held.catch((error: unknown) => {
    deps.log.warn({ digest: blob.digest, error: messageOf(error) }, "containerd's hold may not survive a power cut");
  });
  return answer;
}

async function decide(deps: InfoDeps, digest: Digest): Promise<InfoResponse> {
  const claim = await deps.claims.decide(digest);
  if (claim !== undefined) return { info: infoOfClaim(claim) };
  const blob = deps.store.stat(digest);
  if (blob !== undefined) return infoOfKept(deps, blob);
  throw notHere(digest);
}

function notHere(digest: Digest): CodedError {
  return new CodedError('NOT_FOUND', `Content "${digest}" is not here`);
}
