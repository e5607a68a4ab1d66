/** Where a response's body goes. The socket writes into it directly. */

export interface BodySink {
  /** Room for the next bytes, empty when there is none; at most `bytes`, which is what the body still lacks. */
  target(bytes: number): Uint8Array;
  /** The first `bytes` of the last target have been filled. @returns false to make the sender wait until `resume` */
  filled(bytes: number): boolean;
  /** Nothing more will come. */
  fail(error: Error): void;
}

/** A small body, whole. */
export class MessageSink implements BodySink {
  readonly #body: Buffer;
  readonly #whole = Promise.withResolvers<Buffer>();
  #at = 0;

  /** `sizeBytes` is what the head said, checked against a bound by then. */
  constructor(sizeBytes: number) {
    this.#body = Buffer.allocUnsafe(sizeBytes);
    this.#whole.promise.catch(() => undefined);
    if (sizeBytes === 0) this.#whole.resolve(this.#body);
  }

  target(): Uint8Array {
    return this.#body.subarray(this.#at);
  }

  filled(bytes: number): boolean {
    this.#at += bytes;
    if (this.#at === this.#body.length) this.#whole.resolve(this.#body);
    return true;
  }

  fail(error: Error): void {
    this.#whole.reject(error);
  }

  whole(): Promise<Buffer> {
    return this.#whole.promise;
  }
}
