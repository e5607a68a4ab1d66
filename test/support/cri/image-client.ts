/**
 * The kubelet's side of CRI's image service (k8s.io/cri-api, proto/cri/v1/api.proto), as far as tests need it.
 *
 * ```ts
 * using images = imageClient(node.socket);
 * const id = await images.pullImage(`${registry.host}/library/hello:v1`, { username, password });
 * const image = await images.imageStatus(reference);        // undefined when the node does not have it
 * ```
 *
 * Images pulled so are in containerd's namespace `k8s.io`. Plain http is used for registries on loopback.
 */
import { status as GrpcStatus } from '@grpc/grpc-js';
import { type CriCall, criCall, openCri } from './cri-call.ts';
import { field, listField, longField, optionalField, stringField, stringsField } from './message-fields.ts';

const PULL_DEADLINE_MS = 120_000;
const CALL_DEADLINE_MS = 30_000;

export interface CriImage {
  /** The digest of the image's config. */
  id: string;
  repoTags: string[];
  repoDigests: string[];
  /** Bytes, as containerd counts them. */
  size: number;
}

export interface CriCredentials {
  username: string;
  password: string;
}

/** Every call rejects with a grpc-js ServiceError (`code`, `details`). */
export interface CriImageClient extends Disposable {
  /** Pulls and unpacks. @returns the image's id */
  pullImage(reference: string, credentials?: CriCredentials): Promise<string>;
  imageStatus(reference: string): Promise<CriImage | undefined>;
  /** Removes it with all its tags; fine when it is not there. */
  removeImage(reference: string): Promise<void>;
  listImages(): Promise<CriImage[]>;
  close(): void;
}

/** A client of containerd's socket at this path; connects at the first call. Close it. */
export function imageClient(socket: string): CriImageClient {
  const connection = openCri(socket);
  const call = (method: string, message: object, deadlineMs = CALL_DEADLINE_MS) =>
    criCall(connection, { service: 'ImageService', method, message, deadlineMs } satisfies CriCall);
  const close = () => connection.close();
  return {
    async pullImage(reference, credentials) {
      const request = { image: { image: reference }, ...(credentials && { auth: credentials }) };
      return stringField(await call('PullImage', request, PULL_DEADLINE_MS), 'image_ref');
    },
    async imageStatus(reference) {
      const answer = await call('ImageStatus', { image: { image: reference } });
      const image = optionalField(answer, 'image');
      return image && parseImage(image);
    },
    async removeImage(reference) {
      await call('RemoveImage', { image: { image: reference } });
    },
    async listImages() {
      return listField(await call('ListImages', {}), 'images').map(parseImage);
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** True once CRI's services answer; undefined while containerd is still starting them. Other errors are thrown. */
export async function waitForCri(socket: string): Promise<true | undefined> {
  const connection = openCri(socket);
  try {
    await criCall(connection, {
      service: 'RuntimeService',
      method: 'Status',
      message: {},
      deadlineMs: CALL_DEADLINE_MS,
    });
    return true;
  } catch (error) {
    const isStarting = field(error, 'code') === GrpcStatus.UNAVAILABLE || /not initialized/.test(String(error));
    if (isStarting) return undefined;
    throw error;
  } finally {
    connection.close();
  }
}

function parseImage(message: object): CriImage {
  return {
    id: stringField(message, 'id'),
    repoTags: stringsField(message, 'repo_tags'),
    repoDigests: stringsField(message, 'repo_digests'),
    size: longField(message, 'size'),
  };
}
