import { limits } from "#base/limits.ts";
import { copyUpTo, hasByte, resultAt } from "./program-parts.ts";
import * as w from "./wasm.ts";
import { get, letter, number, set, type Part } from "./wasm.ts";

/** `Z"}` and the newline. */
const entryEndBytes = 4;

/**
 * From lines to entries (see encode.ts), as long as it is simple: good UTF-8, no longer than a line may be. Returns where it stopped: at the
 * beginning of a line that is not, or that has no end, or after an entry that reached `stop`. `tail` is what ended the last entry,
 * `tailBytes` long; it is counted up for each, which its nanoseconds must have room for.
 */
export const encodeProgram = (): w.Function => ({
  name: "encode",
  parameters: ["from", "end", "to", "stop", "tail", "tailBytes"],
  locals: { line: "i32", limit: "i32", at: "i32", special: "i32", byte: "i32", digit: "i32", count: "i32", sixteen: "v128" },
  body: [
    w.loop(
      "entries",
      set("line", get("from")),
      set("at", get("to")),
      set("limit", w.add(get("from"), number(limits.logLineBytesMax))),
      set("limit", w.either(w.below(get("end"), get("limit")), get("end"), get("limit"))),
      w.store8(get("at"), w.letters8('{"log":"')),
      w.increase("at", number(8)),
      w.block(
        "given up",
        w.block("newline", w.loop("bytes", ...escapeBytes())),
        ...countUp(),
        ...writeTail(),
        set("to", get("at")),
        w.increase("count", number(1)),
        w.goIf("entries", w.below(get("to"), get("stop"))),
        set("line", get("from")),
      ),
    ),
    w.store4(number(resultAt), get("to")),
    w.store4(number(resultAt), get("count"), 4),
    get("line"),
  ],
});

/** The text of a line, escaped as `escapeAscii` does. */
function escapeBytes(): Part[] {
  const { either, above, add, shiftRight, shiftLeft, and, or } = w;
  const hex = (digit: Part): Part => add(digit, either(above(digit, number(9)), number(0x57), number(0x30)));
  const backslashAnd = (byte: Part): Part => or(letter("\\"), shiftLeft(byte, 8));
  const special = w.orBytes(
    // Control characters, and what is not ASCII.
    w.lowerBytes(get("sixteen"), w.bytes(0x20)),
    hasByte("\\"),
    // `<` and `>` differ in one bit, as do `"` and `&`.
    w.sameBytes(w.orBytes(get("sixteen"), w.bytes(2)), w.bytes(0x3e)),
    w.sameBytes(w.orBytes(get("sixteen"), w.bytes(4)), w.bytes(0x26)),
  );
  return [
    ...copyUpTo(special, "limit"),
    w.increase("from", number(1)),
    w.goIf("newline", w.equal(get("byte"), number(0x0a))),
    w.when(above(get("byte"), number(0x7f)), ...passSequence()),
    w.when(
      or(w.equal(get("byte"), letter('"')), w.equal(get("byte"), letter("\\"))),
      w.store2(get("at"), backslashAnd(get("byte"))),
      w.increase("at", number(2)),
      w.go("bytes"),
    ),
    w.when(w.equal(get("byte"), number(0x0d)), w.store2(get("at"), backslashAnd(letter("r"))), w.increase("at", number(2)), w.go("bytes")),
    w.store4(get("at"), w.letters4("\\u00")),
    w.store2(get("at"), or(hex(shiftRight(get("byte"), 4)), shiftLeft(hex(and(get("byte"), number(15))), 8)), 4),
    w.increase("at", number(6)),
    w.go("bytes"),
  ];
}

/** The rest of a UTF-8 sequence after its first byte, copied already; none, or one that is to be escaped, is not simple. */
function passSequence(): Part[] {
  const { and, or, above, below, either, equal } = w;
  const first = get("byte");
  const follows = (offset: number): Part => w.load(get("from"), offset);
  const within = (value: Part, low: number, high: number): Part => w.not(above(w.subtract(value, number(low)), number(high - low)));
  const continues = (offset: number): Part => equal(and(follows(offset), number(0xc0)), number(0x80));
  const lineBreak = and(equal(first, number(0xe2)), and(equal(follows(0), number(0x80)), within(follows(1), 0xa8, 0xa9)));
  return [
    // A second byte below the first's lowest, or above its highest, is overlong, a surrogate or no character.
    w.goIf("given up", or(below(first, number(0xc2)), above(first, number(0xf4)))),
    w.goIf("given up", below(follows(0), either(equal(first, number(0xe0)), number(0xa0), either(equal(first, number(0xf0)), number(0x90), number(0x80))))),
    w.goIf("given up", above(follows(0), either(equal(first, number(0xed)), number(0x9f), either(equal(first, number(0xf4)), number(0x8f), number(0xbf))))),
    set("digit", number(1)),
    w.when(above(first, number(0xdf)), w.goIf("given up", or(w.not(continues(1)), lineBreak)), set("digit", number(2))),
    w.when(above(first, number(0xef)), w.goIf("given up", w.not(continues(2))), set("digit", number(3))),
    w.goIf("given up", above(w.add(get("from"), get("digit")), get("limit"))),
    w.increase("from", get("digit")),
    w.increase("at", w.add(get("digit"), number(1))),
    w.go("bytes"),
  ];
}

/** One nanosecond. */
function countUp(): Part[] {
  return [
    set("digit", w.subtract(w.add(get("tail"), get("tailBytes")), number(entryEndBytes + 1))),
    w.loop(
      "carry",
      set("byte", w.add(w.load(get("digit")), number(1))),
      w.when(w.above(get("byte"), letter("9")), w.store(get("digit"), letter("0")), w.increase("digit", number(-1)), w.go("carry")),
      w.store(get("digit"), get("byte")),
    ),
  ];
}

/** Go's RFC3339Nano has no trailing zeros, and nothing at all for a whole second. */
function writeTail(): Part[] {
  return [
    set("digit", number(0)),
    w.loop(
      "copy",
      w.store16(w.add(get("at"), get("digit")), w.load16(w.add(get("tail"), get("digit")))),
      w.increase("digit", number(16)),
      w.goIf("copy", w.below(get("digit"), get("tailBytes"))),
    ),
    w.increase("at", w.subtract(get("tailBytes"), number(entryEndBytes + 1))),
    w.loop("zeros", w.when(w.equal(w.load(get("at")), letter("0")), w.increase("at", number(-1)), w.go("zeros"))),
    w.when(w.equal(w.load(get("at")), letter(".")), w.increase("at", number(-1))),
    w.store4(get("at"), w.letters4('Z"}\n'), 1),
    w.increase("at", number(entryEndBytes + 1)),
  ];
}
