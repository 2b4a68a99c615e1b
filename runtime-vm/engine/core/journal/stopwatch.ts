/** Names how long each step of something took, for the debug log. */
export class Stopwatch {
  readonly #steps: string[] = [];
  #last = performance.now();

  /** The step that ends here. */
  lap(name: string): void {
    const now = performance.now();
    this.#steps.push(`${name} ${(now - this.#last).toFixed(1)}`);
    this.#last = now;
  }

  /** `root 0.9, network 2.1 ms` */
  toString(): string {
    return `${this.#steps.join(", ")} ms`;
  }
}
