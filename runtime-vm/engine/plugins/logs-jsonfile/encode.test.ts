import { expect, test } from "vitest";
import { parseEntry, TimeReader, writeText, writeTimestamp, type Entry } from "./decode.ts";
import { EntryTail, LineEncoder, type Clock } from "./encode.ts";
import { LineSplitter } from "./line-splitter.ts";

/** Feeds chunks through one stream and returns the file's text. */
function encode(chunks: readonly (string | Buffer)[], opts: { stream?: 0 | 1; clock?: Clock; end?: boolean } = {}): string {
  const encoder = new LineEncoder();
  const splitter = new LineSplitter(new EntryTail(opts.stream === 1 ? "stderr" : "stdout", ""));
  const clock = opts.clock ?? { seconds: 1_767_323_045, nanos: 0 };
  const tick = (): Clock => {
    clock.nanos++;
    return clock;
  };
  for (const chunk of chunks) splitter.push(Buffer.from(chunk), encoder, tick, () => undefined);
  if (opts.end !== false) splitter.end(encoder, tick, () => undefined);
  return encoder.bytes.toString();
}

const texts = (file: string): string[] =>
  file
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { log: string }).log);

test("an entry is written as dockerd writes it", () => {
  expect(encode(["hello\n"])).toBe('{"log":"hello\\n","stream":"stdout","time":"2026-01-02T03:04:05.000000001Z"}\n');
  expect(encode(["oops"], { stream: 1 })).toBe('{"log":"oops","stream":"stderr","time":"2026-01-02T03:04:05.000000001Z"}\n');
});

test.for([
  ["quotes and backslashes", 'say "a\\b"', '"log":"say \\"a\\\\b\\"\\n"'],
  ["what HTML would take for markup", "<a&b>", '"log":"\\u003ca\\u0026b\\u003e\\n"'],
  ["control characters, tab among them", "\u0000\t\u001b[1m\r", '"log":"\\u0000\\u0009\\u001b[1m\\r\\n"'],
  ["delete, which is none to JSON", "\u007f", '"log":"\u007f\\n"'],
  ["characters of two to four bytes", "é€😀", '"log":"é€😀\\n"'],
  ["the two separators JavaScript minds", "\u2028\u2029\u202a", '"log":"\\u2028\\u2029\u202a\\n"'],
])("escapes %s", ([, text, expected]) => {
  expect(encode([`${text}\n`])).toContain(expected);
  expect(texts(encode([`${text}\n`]))).toEqual([`${text}\n`]);
});

test.for([
  ["a lone byte", [0xff]],
  ["an overlong form", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["past the last character", [0xf4, 0x90, 0x80, 0x80]],
  ["a cut sequence", [0xe2, 0x82]],
] as const)("bytes that are no UTF-8 (%s) become the replacement character, one each", ([, bytes]) => {
  expect(texts(encode([Buffer.from([0x61, ...bytes, 0x0a])]))).toEqual([`a${"\ufffd".repeat(bytes.length)}\n`]);
});

test("lines are put together across chunks, also through the middle of a character", () => {
  const bytes = Buffer.from("a€b\nc\n");
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(texts(encode([bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(["a€b\n", "c\n"]);
  }
});

test("a line of the limit and more is split there, the pieces without newline", () => {
  const kib16 = 16 * 1024;
  expect(texts(encode([`${"x".repeat(kib16 - 1)}\n`])).map((text) => text.length)).toEqual([kib16]);
  expect(texts(encode([`${"x".repeat(kib16)}\n`]))).toEqual(["x".repeat(kib16), "\n"]);
  const long = "y".repeat(3 * kib16 + 5);
  const pieces = ["y".repeat(kib16), "y".repeat(kib16), "y".repeat(kib16), "yyyyy\n"];
  expect(texts(encode([`${long}\n`]))).toEqual(pieces);
  expect(texts(encode([long.slice(0, 7), long.slice(7, 40_000), `${long.slice(40_000)}\n`]))).toEqual(pieces);
});

test("a long line is never split through a character", () => {
  const text = `${"€".repeat(20_000)}\n`;
  expect(texts(encode([text])).join("")).toBe(text);
});

test("times have no trailing zeros, carry into the next digit, and none at all in a whole second", () => {
  const at = (nanos: number) => /"time":"([^"]+)"/.exec(encode(["x\n"], { clock: { seconds: 1_767_323_045, nanos: nanos - 1 } }))?.[1];
  expect(at(0)).toBe("2026-01-02T03:04:05Z");
  expect(at(500_000_000)).toBe("2026-01-02T03:04:05.5Z");
  expect(at(123_456_780)).toBe("2026-01-02T03:04:05.12345678Z");
  expect(at(999_999_999)).toBe("2026-01-02T03:04:05.999999999Z");
  const row = encode(
    Array.from({ length: 25 }, () => "x\n"),
    { clock: { seconds: 1_767_323_045, nanos: 88 } },
  );
  const nanos = row
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { time: string }).time.slice(19, -1));
  expect(nanos).toEqual(Array.from({ length: 25 }, (_, n) => `.${String(n + 89).padStart(9, "0")}`.replace(/0+$/, "")));
});

test("what is written is read back: text, stream, time, and the timestamp with its nine digits", () => {
  const nanos = [1, 500_000_000, 999_999_999, 120_000_000, 0];
  for (const [index, text] of ["plain\n", 'with "quotes" and \\\n', "€ <&> \u0001\n", "no newline", "\n"].entries()) {
    const clock = { seconds: 1_767_323_045, nanos: (nanos[index] as number) - 1 };
    const file = Buffer.from(encode([text], { stream: 1, clock }));
    const entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
    expect(parseEntry(file, 0, file.length - 1, entry)).toBe(true);
    const out = Buffer.alloc(file.length);
    expect(out.subarray(0, writeText(file, entry, out, 0)).toString()).toBe(text);
    expect(entry.stream).toBe(1);
    expect(new TimeReader().nanos(file, entry)).toBe(1_767_323_045_000_000_000n + BigInt(nanos[index] as number));
    expect(out.subarray(0, writeTimestamp(file, entry, out, 0)).toString()).toBe(`2026-01-02T03:04:05.${String(nanos[index]).padStart(9, "0")}Z`);
  }
});

test.for([
  "",
  "{}",
  "garbage that is long enough to be looked at as an entry, perhaps, who knows what is in it",
  '{"log":"x\\n","stream":"stdout","time":"2026',
])("what is no entry is known as such: %s", (line) => {
  const entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  expect(parseEntry(Buffer.from(line), 0, Buffer.byteLength(line), entry)).toBe(false);
});

test("a text that looks like the end of an entry is read back whole", () => {
  const text = '","stream":"stderr","time":"2026-01-02T03:04:05Z"}\n';
  expect(texts(encode([text]))).toEqual([text]);
  const file = Buffer.from(encode([text]));
  const entry: Entry = { stream: 1, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  expect(parseEntry(file, 0, file.length - 1, entry)).toBe(true);
  const out = Buffer.alloc(file.length);
  expect(out.subarray(0, writeText(file, entry, out, 0)).toString()).toBe(text);
  expect(entry.stream).toBe(0);
});
