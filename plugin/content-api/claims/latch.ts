/** Something that happens once, and that any number of others may wait for. */
export class Latch {
  /** Resolves when the latch opens. */
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}
