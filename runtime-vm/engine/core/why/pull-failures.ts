import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import type { PullProgress } from "#api/images.ts";
import type { PullWhy } from "#api/why.ts";
import { isClass, messageOf } from "#base/errors.ts";
import { explainPull } from "./rules-pull.ts";

/** Of names, the ones that failed last. */
const namesMax = 100;

/** Remembers which pulls failed, until the same name is pulled well. */
export class PullFailures {
  readonly #failures = new Map<string, { readonly reference: string; readonly failedAt: string; readonly error: string }>();

  /** The same messages, and the failure as it is. */
  async *watched(reference: string, pulling: AsyncIterable<PullProgress>): AsyncIterable<PullProgress> {
    const name = nameOf(reference);
    try {
      yield* pulling;
      this.#failures.delete(name);
    } catch (error) {
      // Somebody left.
      if (!isClass(error, "cancelled")) this.#remember(name, reference, messageOf(error));
      throw error;
    }
  }

  why(reference: string): PullWhy {
    const failure = this.#failures.get(nameOf(reference));
    if (failure === undefined) return { Reference: reference, Explanation: null };
    const { failedAt, error } = failure;
    return { Reference: reference, FailedAt: failedAt, Explanation: explainPull({ reference: failure.reference, error }) ?? null };
  }

  #remember(name: string, reference: string, error: string): void {
    this.#failures.delete(name);
    this.#failures.set(name, { reference, failedAt: new Date().toISOString(), error });
    if (this.#failures.size > namesMax) this.#failures.delete(this.#failures.keys().next().value!);
  }
}

/** What cannot be a name fails under what was given. */
function nameOf(reference: string): string {
  try {
    return normalizedName(withDefaultTag(parseReference(reference)));
  } catch {
    return reference;
  }
}
