// @vitest-environment node
import { expect, test } from "vitest";
import { parseAnsi, plain } from "./ansi.ts";

test("a colour runs until it is reset", () => {
  expect(parseAnsi("a \x1b[31mred\x1b[0m b")).toEqual([
    { text: "a ", style: {} },
    { text: "red", style: { color: 1 } },
    { text: " b", style: {} },
  ]);
});

test("attributes add up and go one by one", () => {
  expect(parseAnsi("\x1b[1;4;93;44mx\x1b[22my\x1b[39;49mz").map(({ style }) => style)).toEqual([
    { bold: true, underline: true, color: 11, background: 4 },
    { bold: false, dim: false, underline: true, color: 11, background: 4 },
    { bold: false, dim: false, underline: true },
  ]);
});

test("256 colours and true colour, also with colons", () => {
  expect(parseAnsi("\x1b[38;5;9ma\x1b[38;5;196mb\x1b[38;5;244mc\x1b[48;2;1;2;300md\x1b[38:2:9:8:7me").map(({ style }) => style)).toEqual([
    { color: 9 },
    { color: "rgb(255 0 0)" },
    { color: "rgb(128 128 128)" },
    { color: "rgb(128 128 128)", background: "rgb(1 2 255)" },
    { color: "rgb(9 8 7)", background: "rgb(1 2 255)" },
  ]);
});

test("cursor moves, titles and lone control characters are taken out", () => {
  expect(plain("\x1b[2K\x1b[1Ga\x1b]0;title\x07b\x1b(Bc\r\x08d\te\x1b")).toBe("abcd\te");
  expect(parseAnsi("\x1b[2Kplain")).toEqual([{ text: "plain", style: {} }]);
});

test("an unknown attribute changes nothing", () => {
  expect(parseAnsi("\x1b[58;5;1mx")[0]?.text).toBe("x");
  expect(parseAnsi("\x1b[73mx")).toEqual([{ text: "x", style: {} }]);
});
