/** Update: labels are the only thing about a blob that can be changed, by field mask. */
import { parseDigest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { InfoResponse, UpdateRequest } from './content-messages.ts';
import type { ContentServiceDeps } from './content-service.ts';
import { infoOfBlob } from './info-message.ts';
import { checkLabels } from './labels.ts';

type Labels = ReadonlyMap<string, string>;
type UpdateDeps = Pick<ContentServiceDeps, 'store' | 'claims'>;

export function createUpdate(deps: UpdateDeps): (request: UpdateRequest) => Promise<InfoResponse> {
  return async (request) => {
    const digest = parseDigest(request.info?.digest ?? '');
    if (deps.store.stat(digest) === undefined) {
      if (deps.claims.claim(digest) === undefined) throw new CodedError('NOT_FOUND', `Content "${digest}" is not here`);
      throw new CodedError('UNAVAILABLE', `Content "${digest}" is still arriving; it can be labelled when it is whole`);
    }
    const given = new Map(Object.entries(request.info?.labels ?? {}));
    const labels = maskedLabels(deps.store.labels(digest), given, request.updateMask?.paths ?? []);
    checkLabels(labels);
    await deps.store.setLabels(digest, labels);
    const blob = deps.store.stat(digest);
    if (blob === undefined) throw new CodedError('NOT_FOUND', `Content "${digest}" was deleted while it was labelled`);
    return { info: infoOfBlob(blob, deps.store) };
  };
}

/**
 * The labels after an update: `labels` or no path at all replaces them all, `labels.<key>` sets one, and an absent or empty
 * value removes it (containerd `metadata/boltutil` and the local store).
 * @throws CodedError INVALID_ARGUMENT for any other path
 */
export function maskedLabels(current: Labels, given: Labels, paths: readonly string[]): Labels {
  const wrong = paths.find((path) => path !== 'labels' && !path.startsWith('labels.'));
  if (wrong !== undefined) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `Field "${wrong}" cannot be updated; only "labels" and "labels.<key>" can`,
    );
  }
  if (paths.length === 0 || paths.includes('labels')) return given;
  const labels = new Map(current);
  for (const path of paths) {
    const key = path.slice('labels.'.length);
    const value = given.get(key) ?? '';
    if (value === '') labels.delete(key);
    else labels.set(key, value);
  }
  return labels;
}
