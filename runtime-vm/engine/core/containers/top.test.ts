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
  expect(Processes?.[0]?.[1]).toBe(String(process.pid));
  expect(Processes?.[0]?.[2]).toBe(String(process.ppid));
  expect(Processes?.[0]?.[7]).toContain("node");
});

test("aux and lists of columns are known, unknown columns are not", () => {
  expect(top("aux").Titles).toEqual(["USER", "PID", "%CPU", "%MEM", "VSZ", "RSS", "TTY", "STAT", "START", "TIME", "COMMAND"]);
  expect(top("-o pid,comm=NAME").Titles).toEqual(["PID", "NAME"]);
  expect(top("-eo pid,ppid,cmd").Titles).toEqual(["PID", "PPID", "CMD"]);
  expect(top("-eo pid:10,args:50").Titles).toEqual(["PID", "COMMAND"]);
  expect(top("-o pid,comm -o user").Titles).toEqual(["PID", "COMMAND", "USER"]);
  expect(() => top("-o nonsense")).toThrow('unknown user-defined format specifier "nonsense"');
});

test.each([
  ["-A", "PID TTY TIME CMD"],
  ["--forest -ww", "PID TTY TIME CMD"],
  ["-e -f", "UID PID PPID C STIME TTY TIME CMD"],
  ["-F", "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD"],
  ["-l", "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD"],
  ["-ely", "S UID PID PPID C PRI NI RSS SZ WCHAN TTY TIME CMD"],
  ["-fly", "S UID PID PPID C PRI NI RSS SZ WCHAN STIME TTY TIME CMD"],
  ["-j", "PID PGID SID TTY TIME CMD"],
  ["-L", "PID LWP TTY TIME CMD"],
  ["-Lf", "UID PID PPID LWP C NLWP STIME TTY TIME CMD"],
  ["-T", "PID SPID TTY TIME CMD"],
  ["-Z", "LABEL PID TTY TIME CMD"],
  ["-x", "PID TTY STAT TIME COMMAND"],
  ["axww", "PID TTY STAT TIME COMMAND"],
  ["u", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"],
  ["l", "F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND"],
  ["j", "PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND"],
])("ps %s has the columns that ps has", (args, titles) => {
  const { Titles, Processes } = top(args);
  expect(Titles.join(" ")).toBe(titles);
  expect(Processes?.[0]).toHaveLength(Titles.length);
  expect(Processes?.[0]).not.toContain("");
});

test("processes are chosen by id, command or user, and none is null", () => {
  expect(top(`-p ${process.pid}`).Processes).toHaveLength(1);
  expect(top("-p 1").Processes).toBeNull();
  expect(top(`-u ${process.getuid?.()}`).Processes).toHaveLength(1);
  expect(top("-C no-such-command").Processes).toBeNull();
  expect(top("-ef --sort -pid").Processes).toHaveLength(1);
});

test("a thread is a line of its own when asked for", () => {
  const { Processes } = top("-eo pid,lwp");
  expect(Processes).toEqual([[String(process.pid), String(process.pid)]]);
  expect(top("-eL").Processes?.length).toBeGreaterThan(1);
});

test.each([
  ["-o comm", "Couldn't find PID field in ps output"],
  ["-o pid=PROC", "Couldn't find PID field in ps output"],
  ["-o", "format specification must follow -o"],
  ["-y", "modifier -y without format -l makes no sense"],
  ["-ef -o pid", "conflicting format options"],
  ["-ef; rm", 'unsupported SysV option "-ef;"'],
  ["qqq", 'unsupported option "qqq"'],
  ["nonsense", 'unknown user-defined format specifier "nsense"'],
  ["--version", 'unknown gnu long option "--version"'],
  ["-p", "-p needs a value"],
])("ps %s is refused: %s", (args, reason) => {
  expect(() => top(args)).toThrow(reason);
});

test("a process that is gone is left out", () => {
  expect(topOf(backends, [2 ** 22 + 1], "-ef").Processes).toBeNull();
});
