import * as w from "./wasm.ts";
import { get, number, set, type Part } from "./wasm.ts";

/** Where in the memory a program leaves the place after what it wrote, and the encoder, behind it, how many entries that is. */
export const resultAt = 0;
/** 256 bytes: what each letter after a backslash stands for. */
export const unescapedAt = 256;

export function hasByte(value: string): Part {
  return w.sameBytes(get("sixteen"), w.bytes(value.charCodeAt(0)));
}

function forward(by: Part): Part[] {
  return [w.increase("from", by), w.increase("at", by)];
}

/** Copies sixteen bytes and goes on after them; or only up to the first of those that `special` finds in them, whose place is not before `end`. */
export function copyUpTo(special: Part, end: string): Part[] {
  return [
    w.goIf("given up", w.not(w.below(get("from"), get(end)))),
    set("sixteen", w.load16(get("from"))),
    w.store16(get("at"), get("sixteen")),
    set("special", w.bits(special)),
    w.when(w.not(get("special")), ...forward(number(16)), w.go("bytes")),
    ...forward(w.trailingZeros(get("special"))),
    w.goIf("given up", w.not(w.below(get("from"), get(end)))),
    set("byte", w.load(get("from"))),
  ];
}
