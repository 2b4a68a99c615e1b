import { expect, test } from "vitest";
import { findKept } from "./find.ts";
import type { KeptItem } from "./keeper.ts";

const item = (kind: KeptItem["kind"], id: string, name: string): [string, KeptItem] => [id, { kind, id, name, removedMs: 0, bytes: 0 }];
const items = new Map([
  item("image", "aaa1", "busybox:latest"),
  item("container", "abc2", "web"),
  item("container", "bcd3", "web"),
  item("image", "cde4", "registry.example:5000/tools/busybox:1.36"),
  item("volume", "def5", "redis"),
  item("image", "efa6", "redis:latest"),
]);

test.each([
  ["aaa1", "aaa1"],
  ["bc", "bcd3"],
  ["web", "bcd3"],
  ["busybox", "aaa1"],
  ["busybox:latest", "aaa1"],
  ["docker.io/library/busybox", "aaa1"],
  ["registry.example:5000/tools/busybox:1.36", "cde4"],
  ["redis", "def5"],
  ["redis:latest", "efa6"],
])("%s means %s", (reference, id) => {
  expect(findKept(items, reference).id).toBe(id);
});

test.each(["", "busybox:1.36", "registry.example:5000/tools/busybox", "WEB", "f".repeat(64)])("nothing is called %j", (reference) => {
  expect(() => findKept(items, reference)).toThrow(`No such thing in the trash: ${reference}`);
});

test("the beginning of several ids is none of them", () => {
  expect(() => findKept(items, "a")).toThrow("a is the beginning of 2 ids in the trash");
});
