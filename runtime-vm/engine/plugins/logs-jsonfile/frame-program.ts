import { copyUpTo, hasByte, resultAt, unescapedAt } from "./program-parts.ts";
import * as w from "./wasm.ts";
import { get, letter, number, set, type Part } from "./wasm.ts";

/** With all nine digits. */
const timeBytes = 30;

/**
 * From entries to what a client is sent: their text, before each `header` bytes for a stdcopy frame's head (8, or 0) and `stamp` for its time
 * (31, or 0). `wanted` has a bit for each stream. Returns where it stopped: at the beginning of an entry that is not as simple as
 * most (attributes, escapes of more than a byte), or at the end.
 */
export const frameProgram = (): w.Function => ({
  name: "frame",
  parameters: ["from", "end", "to", "wanted", "header", "stamp"],
  locals: { line: "i32", at: "i32", special: "i32", byte: "i32", stream: "i32", size: "i32", digit: "i32", sixteen: "v128" },
  body: [
    w.loop(
      "entries",
      set("line", get("from")),
      w.block(
        "given up",
        w.goIf("given up", notLetters8('{"log":"', 0)),
        w.increase("from", number(8)),
        set("at", w.add(get("to"), w.add(get("header"), get("stamp")))),
        w.block("quote", w.loop("bytes", ...unescapeBytes())),
        ...readStream(),
        ...findTimeEnd(),
        w.goIf("given up", w.above(w.add(get("from"), w.add(get("size"), number(3))), get("end"))),
        w.when(w.and(get("stream"), get("wanted")), w.when(get("stamp"), ...writeStamp()), w.when(get("header"), ...writeHeader()), set("to", get("at"))),
        w.increase("from", w.add(get("size"), number(3))),
        set("line", get("from")),
        w.goIf("entries", w.below(get("from"), get("end"))),
      ),
    ),
    w.store4(number(resultAt), get("to")),
    get("line"),
  ],
});

function notLetters8(text: string, offset: number): Part {
  return w.not(w.equal8(w.load8(get("from"), offset), w.letters8(text)));
}

/** An entry's text up to the quote that ends it. */
function unescapeBytes(): Part[] {
  const { add, and, load, multiply, shiftLeft, shiftRight } = w;
  // Of our own writing, hence a digit or a small letter.
  const unhex = (digit: Part): Part => add(and(digit, number(15)), multiply(shiftRight(digit, 6), number(9)));
  return [
    ...copyUpTo(w.orBytes(hasByte('"'), hasByte("\\"), hasByte("\n")), "end"),
    w.goIf("quote", w.equal(get("byte"), letter('"'))),
    w.goIf("given up", w.unequal(get("byte"), letter("\\"))),
    set("byte", load(get("from"), 1)),
    w.when(
      w.equal(get("byte"), letter("u")),
      w.goIf("given up", w.unequal(w.load2(get("from"), 2), w.letters2("00"))),
      set("byte", w.or(shiftLeft(unhex(load(get("from"), 4)), 4), unhex(load(get("from"), 5)))),
      w.goIf("given up", w.above(get("byte"), number(0x7f))),
      w.store(get("at"), get("byte")),
      w.increase("at", number(1)),
      w.increase("from", number(6)),
      w.go("bytes"),
    ),
    w.store(get("at"), load(get("byte"), unescapedAt)),
    w.increase("at", number(1)),
    w.increase("from", number(2)),
    w.go("bytes"),
  ];
}

/** `","stream":"stdout","time":"`; with attributes in between it is not simple. */
function readStream(): Part[] {
  return [
    w.goIf("given up", notLetters8('","strea', 0)),
    set("stream", number(1)),
    w.when(notLetters8('m":"stdo', 8), w.goIf("given up", notLetters8('m":"stde', 8)), set("stream", number(2))),
    w.goIf("given up", notLetters8('","time"', 18)),
    w.increase("from", number(28)),
  ];
}

/** The time has 20 to 30 letters; sets `size` to how many. */
function findTimeEnd(): Part[] {
  return [
    set("sixteen", w.load16(get("from"), 16)),
    set("special", w.bits(hasByte('"'))),
    w.goIf("given up", w.not(get("special"))),
    set("size", w.add(w.trailingZeros(get("special")), number(16))),
    w.goIf("given up", w.below(get("size"), number(20))),
    w.goIf("given up", w.unequal(w.load2(w.add(get("from"), get("size")), 1), w.letters2("}\n"))),
  ];
}

/** The time with all its nine digits, and a blank. */
function writeStamp(): Part[] {
  const stamp = w.add(get("to"), get("header"));
  return [
    w.store16(stamp, w.load16(get("from"))),
    w.store16(stamp, w.load16(get("from"), timeBytes - 16), timeBytes - 16),
    set("digit", w.subtract(get("size"), number(1))),
    w.when(w.equal(get("digit"), number(19)), w.store(stamp, letter("."), 19), set("digit", number(20))),
    w.loop(
      "zeros",
      w.when(w.below(get("digit"), number(timeBytes - 1)), w.store(w.add(stamp, get("digit")), letter("0")), w.increase("digit", number(1)), w.go("zeros")),
    ),
    w.store2(stamp, w.letters2("Z "), timeBytes - 1),
  ];
}

/** The stream's number, three zeros, and how much follows, the highest byte first. */
function writeHeader(): Part[] {
  const { and, or, shiftLeft, shiftRight } = w;
  const follows = get("digit");
  return [
    set("digit", w.subtract(get("at"), w.add(get("to"), number(8)))),
    w.store4(get("to"), get("stream")),
    w.store4(
      get("to"),
      or(or(shiftLeft(follows, 24), shiftLeft(and(follows, number(0xff00)), 8)), or(and(shiftRight(follows, 8), number(0xff00)), shiftRight(follows, 24))),
      4,
    ),
  ];
}
