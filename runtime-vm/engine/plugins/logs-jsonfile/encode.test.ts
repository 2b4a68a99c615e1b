import { expect, test } from "vitest";
import { parseEntry, TimeReader, writeText, writeTimestamp, type Entry } from "./decode.ts";
import { LineEncoder } from "./encode.ts";
import { EntryScanner } from "./filter.ts";
import { EntryTail } from "./entry-tail.ts";
import { LineSplitter, type EntrySink } from "./line-splitter.ts";
import { LogClock, type Clock } from "./log-clock.ts";

const encoder = new LineEncoder();

/** Feeds chunks through one stream and returns the file's text. */
function encode(chunks: readonly (string | Buffer)[], opts: { stream?: 0 | 1; clock?: Clock; end?: boolean } = {}): string {
  encoder.clear();
  const splitter = new LineSplitter(new EntryTail(opts.stream === 1 ? "stderr" : "stdout", ""));
  const clock = new LogClock();
  clock.set(opts.clock ?? { seconds: 1_767_323_045, nanos: 0 });
  const sink: EntrySink = { clock, room: () => Number.POSITIVE_INFINITY, written: () => undefined };
  for (const chunk of chunks) splitter.push(Buffer.from(chunk), encoder, sink);
  if (opts.end !== false) splitter.end(encoder, sink);
  return encoder.bytes.toString();
}

/** A nanosecond before so many of the second that the tests speak of. */
const before = (nanos: number): Clock => (nanos === 0 ? { seconds: 1_767_323_044, nanos: 999_999_999 } : { seconds: 1_767_323_045, nanos: nanos - 1 });

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
  const at = (nanos: number) => /"time":"([^"]+)"/.exec(encode(["x\n"], { clock: before(nanos) }))?.[1];
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
    const clock = before(nanos[index] as number);
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

/** The same each time: pieces that lines are made of, of every kind that is treated in its own way. */
function* mixedLines(count: number): Generator<Buffer> {
  const pieces = [
    "a",
    "plain text of some length, ",
    '"',
    "\\",
    "<&>",
    "\r",
    "\t",
    "\u0001",
    "\u007f",
    "é",
    "€",
    "\u2028",
    "😀",
    "\u07ff",
    "\ud7ff",
    "\ue000",
  ].map((piece) => Buffer.from(piece));
  pieces.push(
    Buffer.from([0xff]),
    Buffer.from([0xe2, 0x82]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xf0, 0x8f, 0xbf, 0xbf]),
    Buffer.from([0xc1, 0x81]),
    Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  );
  let state = 7;
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
  for (let n = 0; n < count; n++) {
    const simple = next(3) > 0;
    const line = Array.from({ length: next(20) }, () => pieces[simple ? next(2) : next(pieces.length)] as Buffer);
    yield Buffer.concat([...line, Buffer.from("\n")]);
  }
}

test("many lines at once are written as one by one, whatever is in them, and are read back the same", () => {
  const lines = [...mixedLines(3_000)];
  const all = Buffer.concat(lines);
  const file = encode([all]);
  // In two parts a line is put together, and never had quickly.
  expect(file).toBe(encode(lines.flatMap((line) => [line.subarray(0, 1), line.subarray(1)].filter((part) => part.length > 0))));
  expect(file.split("\n").slice(0, -1)).toEqual(lines.map((line, n) => goEntry(line, n + 1)));
});

/** As Go's encoding/json and dockerd would have it. */
function goEntry(line: Buffer, nanos: number): string {
  const escapes: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r" };
  const text = Array.from(decodeEach(line), (letter) => {
    const isSpecial = letter < " " || "<>&\u2028\u2029\ufffd".includes(letter);
    return escapes[letter] ?? (isSpecial ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}` : letter);
  }).join("");
  const time = `2026-01-02T03:04:05.${String(nanos).padStart(9, "0").replace(/0+$/, "")}Z`;
  return `{"log":"${text}","stream":"stdout","time":"${time}"}`;
}

/** One replacement character for each byte that is no UTF-8, where JavaScript's decoder may take several for one. */
function decodeEach(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const size = [1, 2, 3, 4].find(
      (length) =>
        at + length <= bytes.length &&
        Buffer.from(bytes.toString("utf8", at, at + length)).equals(bytes.subarray(at, at + length)) &&
        Array.from(bytes.toString("utf8", at, at + length)).length === 1,
    );
    text += size === undefined ? "\ufffd" : bytes.toString("utf8", at, at + size);
    at += size ?? 1;
  }
  return text;
}

test.for([
  [{ raw: false, timestamps: false }, 0],
  [{ raw: true, timestamps: false }, 0],
  [{ raw: false, timestamps: true }, 0],
  [{ raw: true, timestamps: true }, 99_999_000],
] as const)("entries are framed as they would be one by one: %j", ([dress, nanos]) => {
  const lines = [...mixedLines(2_000)].map((line) => Buffer.from(decodeEach(line)));
  const file = Buffer.from(
    lines.map((line, n) => encode([line], { stream: n % 3 === 0 ? 1 : 0, clock: { seconds: 1_767_323_045, nanos: nanos + n } })).join(""),
  );
  const frame = (line: Buffer, n: number): Buffer => {
    const stamp = dress.timestamps ? `2026-01-02T03:04:05.${String(nanos + n + 1).padStart(9, "0")}Z ` : "";
    const head = Buffer.alloc(dress.raw ? 0 : 8);
    if (!dress.raw) head.writeUInt8(n % 3 === 0 ? 2 : 1);
    if (!dress.raw) head.writeUInt32BE(stamp.length + line.length, 4);
    return Buffer.concat([head, Buffer.from(stamp), line]);
  };
  expect(new EntryScanner({ stdout: true, stderr: true }).frames(file, dress)).toEqual(Buffer.concat(lines.map(frame)));
  const damaged = Buffer.concat([Buffer.from('{"log":"cut in the mid\n'), file, Buffer.from('{"log":"x\\n","stream":"stdout","time":"2026"}\n')]);
  const stderr = Buffer.concat(lines.map(frame).filter((_, n) => n % 3 === 0));
  expect(new EntryScanner({ stdout: false, stderr: true }).frames(damaged, dress)).toEqual(stderr);
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
