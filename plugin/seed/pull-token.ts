/** A token that pulls from one repository, lent for a seed. In memory only; nothing that prints or writes it shows it. */

export class PullToken {
  readonly #value: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;

  constructor(value: string, expiresAtMs: number) {
    this.#value = value;
    this.expiresAtMs = expiresAtMs;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}
