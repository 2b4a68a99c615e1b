import { expect, test } from "vitest";
import { programRanges } from "./programs.ts";

const mapping = (range: string, perms: string, file: string, { rss = 900, anonymous = 0 } = {}): string =>
  `${range} ${perms} 00001000 fe:00 1234${file === "" ? "" : `                       ${file}`}\nSize:               1024 kB\nRss:                 ${rss} kB\nAnonymous:           ${anonymous} kB\nVmFlags: rd mr mw me\n`;

const starts = (smaps: string): string[] => programRanges(smaps).map(({ start, bytes }) => `${start.toString(16)}+${bytes.toString(16)}`);

test("a program's text and constants are given, what was written of it is not", () => {
  const smaps = [
    mapping("55d0c0000000-55d0c0100000", "r--p", "/usr/bin/node"),
    mapping("55d0c0100000-55d0c0200000", "r-xp", "/usr/bin/node"),
    mapping("55d0c0200000-55d0c0300000", "r--p", "/usr/bin/node", { anonymous: 8 }),
    mapping("55d0c0300000-55d0c0400000", "rw-p", "/usr/bin/node"),
  ].join("");
  expect(starts(smaps)).toEqual(["55d0c0000000+100000", "55d0c0100000+100000"]);
});

test("memory without a file, files nobody executes, and parts hardly there are left alone", () => {
  const smaps = [
    mapping("7f0000000000-7f0000100000", "r-xp", ""),
    mapping("7f0000200000-7f0000300000", "r-xp", "[vdso]"),
    mapping("7f0000400000-7f0000500000", "r--p", "/var/lib/slipway/state.db"),
    mapping("7f0000600000-7f0000700000", "r-xp", "/usr/lib/libm.so.6", { rss: 8 }),
    mapping("7f0000800000-7f0000900000", "r-xs", "/usr/lib/libc.so.6"),
  ].join("");
  expect(starts(smaps)).toEqual([]);
});
