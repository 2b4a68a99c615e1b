import type { Shape } from "#api/decode.ts";
import { documents, fields, names, nested, oddities, table, values } from "./fuzz-values.ts";

/** A request that may or may not make sense. Equal seeds make equal requests. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** Random numbers that a seed repeats (mulberry32). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 <= x < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** The next request; `ids` are names and ids that exist. */
export function fuzzRequest(dice: Dice, ids: readonly string[]): FuzzRequest {
  const [method, pattern, parameters, shape] = dice.pick(table);
  const name = dice.chance(0.6) && ids.length > 0 ? dice.pick(ids) : dice.pick(dice.chance(0.7) ? names : oddities);
  const version = dice.pick(["", "/v1.51", "/v1.24", "/v1.41", "/v1.44", "/v9.9", "/v1.1", "/vx"]);
  const path = `${version}${pattern.replace("%", dice.chance(0.9) ? encodeURIComponent(name) : name.replace(/[^\x21-\x7e]/g, "%"))}`;
  const query = parameters
    .split(" ")
    .filter((parameter) => parameter !== "" && dice.chance(0.4))
    .map((parameter) => `${parameter}=${encodeURIComponent(valueOf(dice, parameter, ids))}`);
  const { headers, body } = bodyOf(dice, shape);
  return { method, path: query.length === 0 ? path : `${path}?${query.join("&")}`, headers, body };
}

function valueOf(dice: Dice, parameter: string, ids: readonly string[]): string {
  const known = values[parameter];
  if (known !== undefined && (parameter === "fromImage" || dice.chance(0.8))) return dice.pick(known);
  if (dice.chance(0.4)) return dice.pick(["0", "1", "true", "false"]);
  return dice.pick(dice.chance(0.5) && ids.length > 0 ? ids : [...names, ...oddities]);
}

function bodyOf(dice: Dice, shape: Shape | "stream" | undefined): { headers: Record<string, string>; body: Buffer | undefined } {
  if (shape === undefined && dice.chance(0.9)) return { headers: {}, body: undefined };
  const type = dice.chance(0.9)
    ? shape === "stream"
      ? "application/x-tar"
      : "application/json"
    : dice.pick(["", "text/plain", "application/json; x", ";", "a/b/c"]);
  const headers = type === "" ? {} : { "Content-Type": type };
  if (shape === "stream" || shape === undefined) return { headers, body: junk(dice) };
  const document = shape.kind === "any" ? dice.pick(documents) : valueFor(dice, shape, "");
  const text = JSON.stringify(document);
  if (dice.chance(0.85)) return { headers, body: Buffer.from(text) };
  return {
    headers,
    body: dice.pick([() => Buffer.from(text.slice(0, dice.below(text.length + 1))), () => junk(dice), () => Buffer.from(`${text}${text}`), () => nested])(),
  };
}

function junk(dice: Dice): Buffer {
  return Buffer.from(Array.from({ length: dice.below(2_000) }, () => dice.below(256)));
}

/** A document of the shape, mostly: every so often a value of another kind. */
function valueFor(dice: Dice, shape: Shape, field: string): unknown {
  const known = fields[field];
  if (known !== undefined && dice.chance(0.9)) return dice.pick(known);
  if (dice.chance(0.04)) return dice.pick<unknown>([null, 1, -1, 1.5, "x", true, [], {}, [null], { a: 1 }, "\u0000"]);
  switch (shape.kind) {
    case "string":
      return dice.pick([...names, ...oddities]);
    case "bool":
      return dice.chance(0.5);
    case "int":
      return dice.pick([0, 1, -1, 100, 65_536, 2 ** 31, -(2 ** 40)]);
    case "any":
      return dice.pick<unknown>([null, {}, [], "x", 5]);
    case "words":
      return dice.pick<unknown>([[], ["a"], "a"]);
    case "list":
      return Array.from({ length: dice.below(3) }, () => valueFor(dice, shape.of, ""));
    case "map":
      return Object.fromEntries(Array.from({ length: dice.below(3) }, () => [dice.pick([...names, ...oddities]), valueFor(dice, shape.of, "")]));
    case "struct": {
      const wanted = 3 / Math.max(3, shape.fields.size);
      const chosen = [...shape.fields.values()].filter((one) => ["Image", "Cmd"].includes(one.name) || dice.chance(wanted));
      return Object.fromEntries(chosen.map((one) => [one.name, valueFor(dice, one.shape, one.name)]));
    }
  }
}
