import { expect, test } from "vitest";
import { formatOwnership, hostMode, parseOwnership, shownMode } from "./ownership.ts";

const [file, folder] = [0o100000, 0o040000];

test.each([
  [{ uid: 0, gid: 0 }, "0:0"],
  [{ uid: 999, gid: 4_294_967_294 }, "999:4294967294"],
  [{ uid: 1, gid: 2, mode: 0o4755 }, "1:2:4755"],
])("an ownership %o is kept as %s, and read again", (owner, text) => {
  expect(formatOwnership(owner)).toBe(text);
  expect(parseOwnership(text)).toEqual(owner);
});

test.each(["", "1", "1:2:", "1:2:8", "-1:2", "1:4294967295", "99999999999:1", "1:2:17777", "1:2:3:4", "1:2\n", "x:y"])(
  "%o, which anybody may have written, is none",
  (text) => {
    expect(parseOwnership(text)).toBeUndefined();
  },
);

test.each([
  [0o644, false, 0o644],
  [0o000, false, 0o600],
  [0o4755, false, 0o755],
  [0o2777, true, 0o777],
  [0o1777, true, 0o1777],
  [0o555, true, 0o755],
])("a mode %o (a folder: %o) is %o on the host", (mode, isFolder, host) => {
  expect(hostMode(mode, isFolder)).toBe(host);
});

test("a mode is shown as it was given until the host sets another one", () => {
  const owner = { uid: 1, gid: 1, mode: 0o4500 };
  expect(shownMode(file | 0o700, owner)).toBe(file | 0o4500);
  expect(shownMode(file | 0o640, owner)).toBe(file | 0o640);
  expect(shownMode(folder | 0o700, { uid: 1, gid: 1, mode: 0o2000 })).toBe(folder | 0o2000);
  expect(shownMode(file | 0o640, { uid: 1, gid: 1 })).toBe(file | 0o640);
  expect(shownMode(file | 0o640, undefined)).toBe(file | 0o640);
});
