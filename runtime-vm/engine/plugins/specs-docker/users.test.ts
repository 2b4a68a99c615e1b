import { expect, test } from "vitest";
import { resolveUser } from "./users.ts";

const accounts = {
  passwd: "root:x:0:0:root:/root:/bin/sh\n# comment\n\napp:x:1000:2000:App:/home/app:/bin/sh\nodd:x:7:7::\n1234:x:5:6::/numbers\n",
  group: "root:x:0:root\nstaff:x:50:app,other\nwheel:x:10:app\ngames:x:60:\n",
};

test.for([
  ["", [], { uid: 0, gid: 0, additionalGids: [0, 0], home: "/root" }],
  ["app", [], { uid: 1000, gid: 2000, additionalGids: [2000, 50, 10], home: "/home/app" }],
  ["1000", [], { uid: 1000, gid: 2000, additionalGids: [2000, 50, 10], home: "/home/app" }],
  ["app:games", [], { uid: 1000, gid: 60, additionalGids: [60], home: "/home/app" }],
  ["app:99", [], { uid: 1000, gid: 99, additionalGids: [99], home: "/home/app" }],
  ["4321", [], { uid: 4321, gid: 0, additionalGids: [0], home: "/" }],
  ["4321:8765", [], { uid: 4321, gid: 8765, additionalGids: [8765], home: "/" }],
  ["odd", [], { uid: 7, gid: 7, additionalGids: [7], home: "/" }],
  // Digits are always an id, whatever accounts are called.
  ["1234", [], { uid: 1234, gid: 0, additionalGids: [0], home: "/" }],
  ["app:games", ["wheel", "77"], { uid: 1000, gid: 60, additionalGids: [60, 10, 77], home: "/home/app" }],
] as const)("user %s with groups %o", ([user, groups, expected]) => {
  expect(resolveUser(user, groups, accounts)).toEqual(expected);
});

test.for([
  ["nobody", [], "unable to find user nobody: no matching entries in passwd file"],
  ["app:nogroup", [], "unable to find group nogroup: no matching entries in group file"],
  ["app", ["nogroup"], "unable to find group nogroup: no matching entries in group file"],
  ["4294967295", [], "uids and gids must be in range 0-2147483647"],
  ["-1", [], "uids and gids must be in range 0-2147483647"],
  ["0:2147483648", [], "uids and gids must be in range 0-2147483647"],
] as const)("user %s with groups %o is refused in dockerd's words", ([user, groups, message]) => {
  expect(() => resolveUser(user, groups, accounts)).toThrow(expect.objectContaining({ class: "invalidArgument", message }) as Error);
});

test("an image without accounts has root and numbers only", () => {
  const empty = { passwd: "", group: "" };
  expect(resolveUser("", [], empty)).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/" });
  expect(resolveUser("5:6", [], empty)).toMatchObject({ uid: 5, gid: 6 });
  expect(() => resolveUser("root", [], empty)).toThrow("unable to find user root: no matching entries in passwd file");
});
