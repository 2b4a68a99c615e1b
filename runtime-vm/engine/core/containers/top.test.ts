import { expect, test } from "vitest";
import { resolveConfig } from "../config/load.ts";
import { topOf } from "./top.ts";

/** No accounts file is found, so that users show by number, root excepted. */
const backends = {
  config: resolveConfig({ hostPrefix: "/nowhere" }, undefined),
  kernel: {
    openInRoot: () => {
      throw Object.assign(new Error("no"), { code: "ENOENT" });
    },
  },
} as unknown as Parameters<typeof topOf>[0];
const top = (psArgs: string) => topOf(backends, [process.pid], psArgs);

test("the default columns are those of ps -ef", () => {
  const { Titles, Processes } = top("-ef");
  expect(Titles).toEqual(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
  expect(Processes[0]?.[1]).toBe(String(process.pid));
  expect(Processes[0]?.[2]).toBe(String(process.ppid));
  expect(Processes[0]?.[7]).toContain("node");
});

test("aux and lists of columns are known, unknown columns are not", () => {
  expect(top("aux").Titles).toEqual(["USER", "PID", "%CPU", "%MEM", "VSZ", "RSS", "TTY", "STAT", "START", "TIME", "COMMAND"]);
  expect(top("-o pid,comm=NAME").Titles).toEqual(["PID", "NAME"]);
  expect(top("-eo pid,ppid,cmd").Titles).toEqual(["PID", "PPID", "CMD"]);
  expect(() => top("-o nonsense")).toThrow('unknown user-defined format specifier "nonsense"');
});

test("a process that is gone is left out", () => {
  expect(topOf(backends, [2 ** 22 + 1], "-ef").Processes).toEqual([]);
});
