import { expect, test } from "vitest";
import { mappedRoot, ownerInside, ownerOutside } from "./identity.ts";
import { remappedRoot } from "./remap.ts";

const files: Readonly<Record<string, string>> = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\neve:x:1002:1002::/:/bin/sh\n",
  "/etc/group": "root:x:0:\nann:x:1000:\nbob:x:1001:\nstaff:x:50:\n",
  "/etc/subuid": "# whose\nann:100000:65536\n1001:300000:1000\nbob:500000:500\n",
  "/etc/subgid": "ann:200000:65536\nbob:600000:65536\n",
};
const file = (path: string): string => files[path] ?? "";
const range = (host: number, size = 65_536, container = 0) => ({ container, host, size });

test.each([
  ["ann", { uid: [range(100_000)], gid: [range(200_000)] }],
  ["1000", { uid: [range(100_000)], gid: [range(200_000)] }],
  ["ann:staff", { uid: [range(100_000)], gid: [range(200_000)] }],
  ["1000:50", { uid: [range(100_000)], gid: [range(200_000)] }],
  ["bob", { uid: [range(300_000, 1000), range(500_000, 500, 1000)], gid: [range(600_000)] }],
  ["root", undefined],
])("%s stands for the ranges of its user, one after the other", (remap, map) => {
  expect(remappedRoot(remap, file)).toEqual(map);
});

test("the default is the range of dockremap, or one that nobody has", () => {
  expect(remappedRoot("default", file)).toEqual({ uid: [range(665_536)], gid: [range(665_536)] });
  expect(remappedRoot("default", () => "")).toEqual({ uid: [range(100_000)], gid: [range(100_000)] });
  const known: Record<string, string> = {
    "/etc/passwd": "dockremap:x:9:9::/:/",
    "/etc/group": "dockremap:x:9:",
    "/etc/subuid": "dockremap:165536:65536\n",
    "/etc/subgid": "dockremap:265536:65536\n",
  };
  expect(remappedRoot("default", (path) => known[path] ?? "")).toEqual({ uid: [range(165_536)], gid: [range(265_536)] });
});

test.each([
  ["a:b:c", 'Invalid user/group specification in --userns-remap: "a:b:c"'],
  ["nosuch", 'Error during uid lookup for "nosuch": getent unable to find entry "nosuch" in passwd database'],
  ["7777", 'Uid 7777 has no entry in /etc/passwd: getent unable to find entry "7777" in passwd database'],
  ["eve", 'Error during gid lookup for "eve": getent unable to find entry "eve" in group database'],
  ["ann:nosuch", 'Error during groupname lookup for "nosuch": getent unable to find entry "nosuch" in group database'],
  ["eve:staff", 'Can\'t create ID mappings: no subuid ranges found for user "eve"'],
])("%s is refused in dockerd's words", (remap, reason) => {
  expect(() => remappedRoot(remap, file)).toThrow(reason);
});

test("owners are told from inside and outside", () => {
  const map = remappedRoot("bob", file);
  expect(mappedRoot(map)).toEqual({ uid: 300_000, gid: 600_000 });
  expect(ownerOutside(map, { uid: 1001, gid: 7 })).toEqual({ uid: 500_001, gid: 600_007 });
  expect(ownerInside(map, { uid: 500_001, gid: 600_007 })).toEqual({ uid: 1001, gid: 7 });
  expect(ownerInside(map, { uid: 0, gid: 0 })).toEqual({ uid: 65_534, gid: 65_534 });
  expect(ownerInside(undefined, { uid: 5, gid: 6 })).toEqual({ uid: 5, gid: 6 });
});
