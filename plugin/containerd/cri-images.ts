/** CRI's image service on containerd's socket (k8s.io/cri-api `proto/cri/v1/api.proto`, unchanged): images as the kubelet pulls them, in namespace `k8s.io`. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import { callOnce, createClient } from './containerd-calls.ts';
import type { ContainerdMethod } from './containerd-services.ts';
import type { ImageRuntime } from './image-runtime.ts';

const PROTO = fileURLToPath(new URL('../../proto/cri/v1/api.proto', import.meta.url));
/** Unpacking an image of gigabytes on a slow disk; whoever asks has a deadline of its own. */
const PULL_DEADLINE_MS = 3_600_000;
const STATUS_DEADLINE_MS = 10_000;
const PROBE_DEADLINE_MS = 2_000;
/** A runtime that was there is believed to be for so long. */
const PROBE_KEPT_MS = 10_000;

export interface CriImagesDeps {
  /** The path of containerd's socket. */
  readonly socket: string;
  readonly clock: Clock;
}

type Call = { readonly signal: AbortSignal };

/** Connects with its first call. */
export class CriImages implements ImageRuntime, Service {
  readonly #clock: Clock;
  readonly #client: Client;
  #probed: { readonly isThere: boolean; readonly atMs: number } | undefined;

  constructor({ socket, clock }: CriImagesDeps) {
    this.#clock = clock;
    this.#client = createClient(socket);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#client.close();
  }

  async isThere({ signal }: Call): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#probed !== undefined && nowMs - this.#probed.atMs < PROBE_KEPT_MS) return this.#probed.isThere;
    const settings = { deadlineMs: PROBE_DEADLINE_MS, signal };
    const isThere = await callOnce(this.#client, criMethods().version, {}, settings).then(
      () => true,
      () => false,
    );
    if (!signal.aborted) this.#probed = { isThere, atMs: nowMs };
    return isThere;
  }

  async pull(ref: string, digest: Digest, { signal }: Call): Promise<void> {
    const message = { image: { image: ref } };
    await callOnce(this.#client, criMethods().pullImage, message, { deadlineMs: PULL_DEADLINE_MS, signal });
    const status = await callOnce(this.#client, criMethods().imageStatus, message, {
      deadlineMs: STATUS_DEADLINE_MS,
      signal,
    });
    const digests = repoDigestsIn(status);
    if (digests.some((one) => one.endsWith(`@${digest}`))) return;
    const found = digests.slice(0, 3).join(', ') || 'nothing';
    throw new CodedError('FAILED_PRECONDITION', `Runtime has ${found} under "${ref}", not "${digest}"`);
  }
}

interface CriMethods {
  readonly version: ContainerdMethod;
  readonly pullImage: ContainerdMethod;
  readonly imageStatus: ContainerdMethod;
}

let loaded: CriMethods | undefined;

function criMethods(): CriMethods {
  loaded ??= load();
  return loaded;
}

function load(): CriMethods {
  const definitions = loadSync(PROTO, { longs: Number, defaults: true });
  const method = (service: string, name: string): ContainerdMethod => {
    const definition = definitions[`runtime.v1.${service}`];
    const found = definition === undefined || 'format' in definition ? undefined : definition[name];
    if (found === undefined) throw new Error(`CRI has no call "${service}/${name}"`);
    return found;
  };
  return {
    version: method('RuntimeService', 'Version'),
    pullImage: method('ImageService', 'PullImage'),
    imageStatus: method('ImageService', 'ImageStatus'),
  };
}

function repoDigestsIn(status: object): string[] {
  const image: unknown = Reflect.get(status, 'image');
  const digests: unknown = typeof image === 'object' && image !== null ? Reflect.get(image, 'repoDigests') : undefined;
  return Array.isArray(digests) ? digests.filter((one) => typeof one === 'string') : [];
}
