import { expect, test } from "vitest";
import { guestPath, hostPath, planShares } from "./files.ts";

test.each<[string, NodeJS.Platform, string | undefined]>([
  ["/home/u/x", "linux", "/home/u/x"],
  ["/Users/u/../v", "darwin", "/Users/v"],
  ["relative", "linux", undefined],
  ["C:\\Users\\Me\\a b", "win32", "/mnt/c/Users/Me/a b"],
  ["d:/work", "win32", "/mnt/d/work"],
  ["C:\\", "win32", "/mnt/c"],
  ["C:\\a\\..\\..\\b", "win32", "/mnt/c/b"],
  ["\\\\server\\share", "win32", undefined],
  ["C:relative", "win32", undefined],
])("%s of %s is %s in the guest", (path, platform, expected) => {
  expect(guestPath(path, platform)?.replace(/(.)\/$/, "$1")).toBe(expected);
});

test.each<[string, NodeJS.Platform, string | undefined]>([
  ["/home/u", "linux", "/home/u"],
  ["/mnt/c/Users/Me", "win32", "C:\\Users\\Me"],
  ["/mnt/c", "win32", "C:\\"],
  ["/var/lib", "win32", undefined],
  ["x", "linux", undefined],
])("%s of the guest is %s's %s", (path, platform, expected) => expect(hostPath(path, platform)).toBe(expected));

test("a folder inside another is shared by the outer one, and a folder named twice once", () => {
  const shares = planShares(["/home/u/work", "/home/u", "/srv", "/srv", "/home/u2"], "linux", "virtiofs");
  expect(shares.map((share) => [share.tag, share.path])).toEqual([
    ["share0", "/home/u"],
    ["share1", "/srv"],
    ["share2", "/home/u2"],
  ]);
});

test("the root and a relative path cannot be shared", () => {
  for (const folder of ["/", "x"]) expect(() => planShares([folder], "linux", "9p")).toThrow(`${folder} cannot be shared`);
});
