/**
 * containerd over its own socket, by gRPC (containerd 1.6 to 2.x: the same services, `api/services/…/v1`).
 * Lists are whole or they fail; every call has a deadline.
 */
import type { Client } from '@grpc/grpc-js';
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { Logger } from '../../core/runtime/log.ts';
import { connectionLost } from './connection-lost.ts';
import { callOnce, callStream, createClient } from './containerd-calls.ts';
import { contentIn, contentsIn, imagesIn, namespacesIn, versionIn } from './containerd-messages.ts';
import { type ContainerdMethods, containerdMethods } from './containerd-services.ts';
import type { Containerd, ContainerdContent, ContainerdImage } from './containerd.ts';
import { createContainerdEvents } from './events.ts';
import { Reachability } from './reachability.ts';

/** From memory on containerd's side. */
const PROBE_DEADLINE_MS = 2000;
/** One record, read without a lock; a busy node may still take its time. */
const RECORD_DEADLINE_MS = 2000;
/** Lists are read whole before containerd sends them. */
const LIST_DEADLINE_MS = 30_000;
/** A deletion waits for containerd's write lock, and so for garbage collection. */
const DELETE_DEADLINE_MS = 10_000;
/** Far more than a node has; a longer list is refused rather than kept. */
const CONTENTS_MAX = 500_000;

export interface ContainerdDeps {
  /** The path of containerd's socket. */
  socket: string;
  clock: Clock;
  log: Logger;
}

/** Connects at `start` and keeps trying; `start` does not wait for containerd, which usually comes up after us. */
export function createContainerd(deps: ContainerdDeps): Containerd & Service {
  return new GrpcContainerd(deps);
}

type Call = { signal: AbortSignal };

class GrpcContainerd implements Containerd, Service {
  readonly #client: Client;
  readonly #methods: ContainerdMethods = containerdMethods();
  readonly #reachability: Reachability;

  constructor({ socket, clock, log }: ContainerdDeps) {
    this.#client = createClient(socket);
    this.#reachability = new Reachability({
      probe: (options) => this.#version(options),
      connectionLost: () => connectionLost(this.#client),
      clock,
      events: createContainerdEvents(log, socket),
    });
  }

  async start({ signal }: Call): Promise<void> {
    this.#reachability.start(signal);
  }

  async stop(): Promise<void> {
    await this.#reachability.stop();
    this.#client.close();
  }

  isReachable(): boolean {
    return this.#reachability.isReachable;
  }

  onConnect(listener: () => void): () => void {
    return this.#reachability.onConnect(listener);
  }

  async namespaces({ signal }: Call): Promise<string[]> {
    const settings = { deadlineMs: LIST_DEADLINE_MS, signal };
    return namespacesIn(await callOnce(this.#client, this.#methods.namespaces, {}, settings));
  }

  async contents(namespace: string, { signal }: Call): Promise<ContainerdContent[]> {
    const settings = { deadlineMs: LIST_DEADLINE_MS, namespace, signal };
    const contents: ContainerdContent[] = [];
    for await (const response of callStream(this.#client, this.#methods.contents, {}, settings)) {
      contents.push(...contentsIn(response));
      if (contents.length > CONTENTS_MAX) throw tooMany(namespace);
    }
    return contents;
  }

  async content(namespace: string, digest: Digest, { signal }: Call): Promise<ContainerdContent | undefined> {
    const settings = { deadlineMs: RECORD_DEADLINE_MS, namespace, signal };
    try {
      return contentIn(await callOnce(this.#client, this.#methods.content, { digest }, settings));
    } catch (error) {
      if (isCode(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async deleteContent(namespace: string, digest: Digest, { signal }: Call): Promise<void> {
    const settings = { deadlineMs: DELETE_DEADLINE_MS, namespace, signal };
    try {
      await callOnce(this.#client, this.#methods.deleteContent, { digest }, settings);
    } catch (error) {
      if (!isCode(error, 'NOT_FOUND')) throw error;
    }
  }

  async images(namespace: string, { signal }: Call): Promise<ContainerdImage[]> {
    const settings = { deadlineMs: LIST_DEADLINE_MS, namespace, signal };
    return imagesIn(await callOnce(this.#client, this.#methods.images, {}, settings));
  }

  async #version({ signal }: Call): Promise<string> {
    const settings = { deadlineMs: PROBE_DEADLINE_MS, signal };
    return versionIn(await callOnce(this.#client, this.#methods.version, {}, settings));
  }
}

function tooMany(namespace: string): CodedError {
  return new CodedError('RESOURCE_EXHAUSTED', `Namespace "${namespace}" lists more than ${CONTENTS_MAX} blobs`);
}
