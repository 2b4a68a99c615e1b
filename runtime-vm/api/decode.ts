import { EngineError } from "#base/errors.ts";
import { JsonSyntaxError, parseGoJson } from "./gojson.ts";

/**
 * Decodes request bodies as dockerd's Go structs do: field names match whatever their case, unknown fields are ignored, null
 * leaves a field unset, and a value of the wrong type is refused naming the field. A body is described once, as a shape.
 */
export type Shape =
  | { readonly kind: "string" }
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly go: string }
  | { readonly kind: "any" }
  | { readonly kind: "list"; readonly of: Shape; readonly go: string }
  | { readonly kind: "map"; readonly of: Shape; readonly go: string; readonly pointers: boolean }
  | {
      readonly kind: "struct";
      readonly go: string;
      readonly fields: ReadonlyMap<string, { readonly name: string; readonly shape: Shape }>;
      readonly embedded?: boolean;
    }
  /** A list, or one string standing for a list of it (`Cmd`, `Entrypoint`). */
  | { readonly kind: "words" };

export const string: Shape = { kind: "string" };
export const bool: Shape = { kind: "bool" };
export const int: Shape = { kind: "int", go: "int" };
export const int64: Shape = { kind: "int", go: "int64" };
export const uint: Shape = { kind: "int", go: "uint" };
export const uint64: Shape = { kind: "int", go: "uint64" };
export const uint16: Shape = { kind: "int", go: "uint16" };
export const any: Shape = { kind: "any" };
export const words: Shape = { kind: "words" };
export const list = (of: Shape): Shape => ({ kind: "list", of, go: `[]${goType(of)}` });
/** With `pointers`, null is kept as the value of a key. */
export const map = (of: Shape, { pointers = false }: { pointers?: boolean } = {}): Shape => ({
  kind: "map",
  of,
  go: `map[string]${pointers ? "*" : ""}${goType(of)}`,
  pointers,
});
/** `go` is the struct's name with its package (`network.CreateRequest`); errors of a struct whose fields are embedded name no owner (`.Image`). */
export const struct = (go: string, fields: Readonly<Record<string, Shape>>, opts: { embedded?: boolean } = {}): Shape => ({
  ...opts,
  kind: "struct",
  go,
  fields: new Map(Object.entries(fields).map(([name, shape]) => [name.toLowerCase(), { name, shape }])),
});

/**
 * Decodes a JSON body by its shape. Every failure is invalidArgument in the words dockerd answers with.
 * The result has exactly the shape's names and types, so a caller may give it its type.
 */
export function decodeBody(text: string, shape: Shape): unknown {
  let parsed: { value: unknown; more: boolean };
  try {
    parsed = parseGoJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new EngineError("invalidArgument", `invalid JSON: ${error.message}`);
    throw error;
  }
  const value = decode(parsed.value, shape, { owner: undefined, path: [] });
  if (parsed.more) throw new EngineError("invalidArgument", "unexpected content after JSON");
  return value;
}

interface Place {
  /** The outermost struct's name without its package; undefined outside any struct. */
  readonly owner: string | undefined;
  readonly path: readonly string[];
}

function decode(value: unknown, shape: Shape, place: Place): unknown {
  if (value === null) return undefined;
  switch (shape.kind) {
    case "any":
      return value;
    case "string":
    case "bool":
      if (typeof value !== { string: "string", bool: "boolean" }[shape.kind]) throw mismatch(value, shape, place);
      return value;
    case "int":
      if (typeof value !== "number") throw mismatch(value, shape, place);
      if (!Number.isInteger(value) || !holds(shape.go, value)) throw mismatch(value, shape, place, ` ${value}`);
      return value;
    case "words":
      if (typeof value === "string") return [value];
      return decode(value, list(string), place);
    case "list":
      if (!Array.isArray(value)) throw mismatch(value, shape, place);
      return value.map((item: unknown, i) => decode(item, shape.of, within(place, String(i))) ?? zero(shape.of));
    case "map": {
      if (!isRecord(value)) throw mismatch(value, shape, place);
      const none = shape.pointers ? null : zero(shape.of);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item, shape.of, within(place, key)) ?? none]));
    }
    case "struct":
      if (!isRecord(value)) throw mismatch(value, shape, place);
      return decodeStruct(value, shape, place);
  }
}

function decodeStruct(value: Record<string, unknown>, shape: Shape & { kind: "struct" }, place: Place): Record<string, unknown> {
  const owner = place.owner ?? (shape.embedded === true ? "" : shape.go.slice(shape.go.lastIndexOf(".") + 1));
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const field = shape.fields.get(key.toLowerCase());
    if (field === undefined) continue;
    const decoded = decode(item, field.shape, { owner, path: [...place.path, field.name] });
    if (decoded !== undefined) result[field.name] = decoded;
  }
  return result;
}

/** Whether Go's type holds the number; at the very end of 64 bits a number here is not told from the next. */
function holds(go: string, value: number): boolean {
  if (go === "uint16") return value >= 0 && value <= 65_535;
  return go.startsWith("u") ? value >= 0 && value <= 2 ** 64 : Math.abs(value) <= 2 ** 63;
}

const within = (place: Place, key: string): Place => ({ ...place, path: [...place.path, key] });

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** What Go leaves where a list or map holds null. Null lists inside maps stay null: there it means "none" (`"80/tcp": null`). */
function zero(shape: Shape): unknown {
  switch (shape.kind) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int":
      return 0;
    case "struct":
    case "map":
      return {};
    case "any":
    case "list":
    case "words":
      return null;
  }
}

function mismatch(value: unknown, shape: Shape, place: Place, number = ""): EngineError {
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const what = `json: cannot unmarshal ${kind}${number}`;
  // Go calls only what has a name of its own a field.
  const field = /^\d+$/.test(place.path.at(-1) ?? "") ? "" : "Go struct field ";
  const where = place.owner === undefined ? "into Go value" : `into ${field}${place.owner}.${place.path.join(".")}`;
  return new EngineError("invalidArgument", `invalid JSON: ${what} ${where} of type ${goType(shape)}`);
}

function goType(shape: Shape): string {
  switch (shape.kind) {
    case "string":
    case "bool":
      return shape.kind;
    case "any":
      return "interface {}";
    case "words":
      return "[]string";
    case "int":
    case "list":
    case "map":
    case "struct":
      return shape.go;
  }
}
