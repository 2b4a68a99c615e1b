import { expect, test } from "vitest";
import { joinPath, markOf, modeText, parentOf } from "./containerfiles.ts";

test.each([
  ["directory", 0o755, "drwxr-xr-x"],
  ["file", 0o4755, "-rwsr-xr-x"],
  ["file", 0o2640, "-rw-r-S---"],
  ["directory", 0o1777, "drwxrwxrwt"],
  ["link", 0o777, "lrwxrwxrwx"],
] as const)("a %s of mode %o is written %s", (kind, mode, text) => expect(modeText({ kind, mode })).toBe(text));

test("paths are joined and taken apart at the root as elsewhere", () => {
  expect([joinPath("/", "etc"), joinPath("/etc", "hosts"), parentOf("/etc/hosts"), parentOf("/etc"), parentOf("/")]).toEqual([
    "/etc",
    "/etc/hosts",
    "/etc",
    "/",
    "/",
  ]);
});

test("a mark is of that very path", () => {
  const changes = [
    { Path: "/etc", Kind: 0 },
    { Path: "/etc/new", Kind: 1 },
  ] as const;
  expect([markOf(changes, "/etc"), markOf(changes, "/etc/new"), markOf(changes, "/etc/newer")]).toEqual([0, 1, undefined]);
});
