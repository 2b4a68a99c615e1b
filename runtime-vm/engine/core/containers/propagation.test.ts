import { expect, test } from "vitest";
import { checkPropagation } from "./propagation.ts";

const mountinfo = [
  "20 1 0:19 / / rw,relatime - overlay overlay rw",
  "21 20 0:20 / /host rw shared:1 - ext4 /dev/a rw",
  "22 21 0:21 / /host/own rw master:1 - tmpfs tmpfs rw",
  "23 21 0:22 / /host/two\\040words rw shared:7 master:2 - tmpfs tmpfs rw",
  "",
].join("\n");
const check = (found: string, propagation: string): void =>
  checkPropagation({ path: found.replace("/host", ""), found, propagation, hostPrefix: "/host" }, mountinfo);

test("only a shared mount can be shared with a container", () => {
  for (const shared of ["/host", "/host/a/b", "/host/ownother", "/host/two words/x"]) check(shared, "rshared");
  expect(() => check("/host/own/x", "shared")).toThrow("path /own/x is mounted on /own but it is not a shared mount");
  expect(() => check("/elsewhere", "rshared")).toThrow("is mounted on / but it is not a shared mount");
});

test.each(["", "rprivate", "private", "slave", "rslave"])("%j asks nothing of the mount", (propagation) => {
  expect(() => check("/host/own", propagation)).not.toThrow();
});
