/**
 * As much of WebAssembly's binary format (webassembly.github.io/spec/core/binary) as loops over bytes need: its 16-byte vectors go through
 * text several times faster than JavaScript does. A function is a tree of the calls below; locals and labels have names.
 */
export type Part = (into: Body) => void;

/** A function being written: its bytes so far, its locals, and the labels of the blocks around the place. */
interface Body {
  readonly bytes: number[];
  readonly locals: ReadonlyMap<string, number>;
  readonly labels: string[];
}

export interface Function {
  readonly name: string;
  /** All i32. */
  readonly parameters: readonly string[];
  readonly locals: Readonly<Record<string, "i32" | "v128">>;
  readonly body: readonly Part[];
}

const valueTypes = { i32: 0x7f, v128: 0x7b } as const;
const noResult = 0x40;
const end = 0x0b;

const op =
  (code: readonly number[], ...operands: readonly Part[]): Part =>
  (into) => {
    for (const operand of operands) operand(into);
    into.bytes.push(...code);
  };
const vector = (code: number, ...operands: readonly Part[]): Part => op([0xfd, ...unsigned(code)], ...operands);
/** Any alignment, at an offset from the address. */
const access = (code: readonly number[], offset: number, ...operands: readonly Part[]): Part => op([...code, 0, ...unsigned(offset)], ...operands);

export const get =
  (local: string): Part =>
  (into) =>
    into.bytes.push(0x20, ...unsigned(found(into.locals.get(local), local)));
export const set =
  (local: string, value: Part): Part =>
  (into) => {
    value(into);
    into.bytes.push(0x21, ...unsigned(found(into.locals.get(local), local)));
  };
export const number = (value: number): Part => op([0x41, ...signed(BigInt(value))]);
/** Eight letters as one value. */
export const letters8 = (text: string): Part => op([0x42, ...signed(Buffer.from(text, "latin1").readBigInt64LE())]);
/** Four, or two. */
export const letters4 = (text: string): Part => number(Buffer.from(text, "latin1").readInt32LE());
export const letters2 = (text: string): Part => number(Buffer.from(text, "latin1").readUInt16LE());
export const letter = (text: string): Part => number(text.charCodeAt(0));

export const add = (a: Part, b: Part): Part => op([0x6a], a, b);
export const subtract = (a: Part, b: Part): Part => op([0x6b], a, b);
export const multiply = (a: Part, b: Part): Part => op([0x6c], a, b);
export const and = (a: Part, b: Part): Part => op([0x71], a, b);
export const or = (a: Part, b: Part): Part => op([0x72], a, b);
export const shiftLeft = (a: Part, b: number): Part => op([0x74], a, number(b));
export const shiftRight = (a: Part, b: number): Part => op([0x76], a, number(b));
export const trailingZeros = (a: Part): Part => op([0x68], a);
export const not = (a: Part): Part => op([0x45], a);
export const equal = (a: Part, b: Part): Part => op([0x46], a, b);
export const unequal = (a: Part, b: Part): Part => op([0x47], a, b);
export const below = (a: Part, b: Part): Part => op([0x49], a, b);
export const above = (a: Part, b: Part): Part => op([0x4b], a, b);
export const equal8 = (a: Part, b: Part): Part => op([0x51], a, b);
export const either = (condition: Part, a: Part, b: Part): Part => op([0x1b], a, b, condition);
export const increase = (local: string, by: Part): Part => set(local, add(get(local), by));

export const load = (at: Part, offset = 0): Part => access([0x2d], offset, at);
export const load2 = (at: Part, offset = 0): Part => access([0x2f], offset, at);
export const load8 = (at: Part, offset = 0): Part => access([0x29], offset, at);
export const load16 = (at: Part, offset = 0): Part => access([0xfd, 0], offset, at);
export const store = (at: Part, value: Part, offset = 0): Part => access([0x3a], offset, at, value);
export const store2 = (at: Part, value: Part, offset = 0): Part => access([0x3b], offset, at, value);
export const store4 = (at: Part, value: Part, offset = 0): Part => access([0x36], offset, at, value);
export const store8 = (at: Part, value: Part, offset = 0): Part => access([0x37], offset, at, value);
export const store16 = (at: Part, value: Part, offset = 0): Part => access([0xfd, 0x0b], offset, at, value);

/** Sixteen times the same byte. */
export const bytes = (value: number): Part => op([0xfd, 0x0c, ...Array.from({ length: 16 }, () => value)]);
export const sameBytes = (a: Part, b: Part): Part => vector(0x23, a, b);
/** Bytes as signed numbers. */
export const lowerBytes = (a: Part, b: Part): Part => vector(0x25, a, b);
export const orBytes = (...all: readonly Part[]): Part => all.reduce((a, b) => vector(0x50, a, b));
/** A bit for each of sixteen bytes, of what a comparison found. */
export const bits = (a: Part): Part => vector(0x64, a);

const nested =
  (code: number, label: string, inner: readonly Part[]): Part =>
  (into) => {
    into.bytes.push(code, noResult);
    into.labels.push(label);
    for (const part of inner) part(into);
    into.labels.pop();
    into.bytes.push(end);
  };
/** To go to its label is to leave it. */
export const block = (label: string, ...inner: readonly Part[]): Part => nested(0x02, label, inner);
/** To go to its label is to begin again; its end is left as any. */
export const loop = (label: string, ...inner: readonly Part[]): Part => nested(0x03, label, inner);
export const when =
  (condition: Part, ...then: readonly Part[]): Part =>
  (into) => {
    condition(into);
    nested(0x04, "", then)(into);
  };
const branch =
  (code: number, label: string): Part =>
  (into) => {
    const depth = into.labels.toReversed().indexOf(label);
    into.bytes.push(code, ...unsigned(found(depth < 0 ? undefined : depth, label)));
  };
export const go = (label: string): Part => branch(0x0c, label);
export const goIf =
  (label: string, condition: Part): Part =>
  (into) => {
    condition(into);
    branch(0x0d, label)(into);
  };

/** A module that exports its functions, each with one i32 as result, and its memory of so many 64 KiB pages. */
export function assemble(functions: readonly Function[], pages: number): Uint8Array<ArrayBuffer> {
  const i32 = valueTypes.i32;
  return Uint8Array.from([
    ...Buffer.from("\0asm\x01\0\0\0", "latin1"),
    ...section(
      1,
      functions.map(({ parameters }) => [0x60, ...list(parameters.map(() => [i32])), 1, i32]),
    ),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(5, [[0, ...unsigned(pages)]]),
    ...section(7, [[...name("memory"), 2, 0], ...functions.map((one, index) => [...name(one.name), 0, ...unsigned(index)])]),
    ...section(10, functions.map(codeOf)),
  ]);
}

function codeOf({ parameters, locals, body }: Function): number[] {
  const names = [...parameters, ...Object.keys(locals)];
  const into: Body = { bytes: [], locals: new Map(names.map((local, index) => [local, index])), labels: [] };
  for (const part of body) part(into);
  const code = [...list(Object.values(locals).map((type) => [1, valueTypes[type]])), ...into.bytes, end];
  return [...unsigned(code.length), ...code];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
}

const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text, "latin1")];

/** LEB128. */
function unsigned(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  return (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40) ? [low] : [low | 0x80, ...signed(rest)];
}

function found(index: number | undefined, wanted: string): number {
  if (index === undefined) throw new Error(`${wanted} is no local or label here`);
  return index;
}
