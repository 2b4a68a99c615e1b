import { EngineError } from "#base/errors.ts";
import { type Filters, parseFilters } from "#api/filters.ts";

/** Query parameters, read as dockerd reads them. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(search: string) {
    this.#values = new URLSearchParams(search);
  }

  /** "" when absent. */
  get(name: string): string {
    return this.#values.get(name) ?? "";
  }

  all(name: string): readonly string[] {
    return this.#values.getAll(name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Anything but "", 0, no, false, none is true. */
  bool(name: string, absent = false): boolean {
    if (!this.has(name)) return absent;
    return !["", "0", "no", "false", "none"].includes(this.get(name).trim().toLowerCase());
  }

  /** A whole number; `absent` when there is none. */
  int(name: string, absent: number): number {
    const text = this.get(name);
    if (text === "") return absent;
    if (!/^[+-]?\d+$/.test(text)) throw new EngineError("invalidArgument", `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    const number = Number(text);
    if (Math.abs(number) > 2 ** 63) throw new EngineError("invalidArgument", `strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
    return number;
  }

  filters(): Filters {
    return parseFilters(this.#values.get("filters"));
  }
}
