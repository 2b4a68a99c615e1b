// @vitest-environment node
import { expect, test } from "vitest";
import { frame } from "#api/stdcopy.ts";
import { LogIntake } from "./intake.ts";
import { afterStamp } from "./session.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const stamp = "2026-01-02T03:04:05.123456789Z";
const at = Date.UTC(2026, 0, 2, 3, 4, 5, 123);

interface Line {
  readonly text: string;
  readonly time: number;
  readonly stderr: boolean;
}

function intake(tty: boolean): { readonly lines: Line[]; readonly intake: LogIntake } {
  const lines: Line[] = [];
  return { lines, intake: new LogIntake(tty, { add: (line, { time, stderr }) => void lines.push({ text: decoder.decode(line), time, stderr }) }) };
}

/** Every way to cut the bytes into two pieces must give the same lines. */
function allCuts(bytes: Uint8Array, tty: boolean): Line[] {
  const whole = intake(tty);
  whole.intake.push(bytes);
  whole.intake.end();
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const parts = intake(tty);
    parts.intake.push(bytes.subarray(0, cut));
    parts.intake.push(bytes.subarray(cut));
    parts.intake.end();
    expect(parts.lines).toEqual(whole.lines);
  }
  return whole.lines;
}

const concat = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const out = (text: string): Uint8Array => frame("stdout", encoder.encode(text));
const err = (text: string): Uint8Array => frame("stderr", encoder.encode(text));

test("frames become lines with their time and stream, however the bytes were cut", () => {
  expect(allCuts(concat(out(`${stamp} hello\n`), err(`${stamp} oops\r\n`), out(`${stamp} \n`)), false)).toEqual([
    { text: "hello", time: at, stderr: false },
    { text: "oops", time: at, stderr: true },
    { text: "", time: at, stderr: false },
  ]);
});

test("a line that Docker split over frames is one line, without the stamps between", () => {
  expect(allCuts(concat(out(`${stamp} one `), out(`${stamp} two `), err(`${stamp} err\n`), out(`${stamp} three\n`)), false)).toEqual([
    { text: "err", time: at, stderr: true },
    { text: "one two three", time: at, stderr: false },
  ]);
});

test("several lines in one frame each give up their stamp", () => {
  expect(allCuts(out(`${stamp} a\n${stamp} b\n`), false).map(({ text }) => text)).toEqual(["a", "b"]);
});

test("with a TTY the bytes are the log", () => {
  expect(allCuts(encoder.encode(`${stamp} a\r\n${stamp} b c\r\n`), true)).toEqual([
    { text: "a", time: at, stderr: false },
    { text: "b c", time: at, stderr: false },
  ]);
});

test("a line without a stamp keeps its first word, and only the engine's stamp is taken off", () => {
  expect(allCuts(concat(out("no stamp here\n"), out(`${stamp} ${stamp} own\n`)), false).map(({ text }) => text)).toEqual(["no stamp here", `${stamp} own`]);
});

test("what has no newline yet is a line once the stream is over", () => {
  const { lines, intake: reader } = intake(false);
  reader.push(out(`${stamp} partial`));
  expect(lines).toEqual([]);
  reader.end();
  expect(lines).toEqual([{ text: "partial", time: at, stderr: false }]);
});

test("reading on begins one nanosecond after the last stamp", () => {
  const { intake: reader } = intake(false);
  reader.push(out(`${stamp} a\n`));
  expect(reader.lastStamp).toBe(stamp);
  expect(afterStamp(reader.lastStamp)).toBe(`${at / 1000 - 0.123}.123456790`);
  expect(afterStamp("2026-01-02T03:04:05.999999999Z")).toBe("1767323046.000000000");
  expect(afterStamp("2026-01-02T03:04:05Z")).toBe("1767323045.000000001");
});
