import { EngineError } from "#base/errors.ts";
import type { StageState } from "#core/builds/state.ts";

const resultsMax = 200;

/** Results of builds that other builds may stand on, the newest; their layers are in the build cache. */
export class Shelf {
  readonly #results = new Map<string, readonly StageState[]>();

  put(name: string, states: readonly StageState[]): void {
    this.#results.set(name, states);
    const [oldest = ""] = this.#results.keys();
    if (this.#results.size > resultsMax) this.#results.delete(oldest);
  }

  /** Of each platform. */
  get(name: string): readonly StageState[] {
    const states = this.#results.get(name);
    if (states === undefined) throw new EngineError("notFound", `the result of another build, ${name}, is no longer here`);
    return states;
  }
}
