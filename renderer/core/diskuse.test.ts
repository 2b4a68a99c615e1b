import { expect, test } from "vitest";
import { type DiskUsage, diskUse, largest } from "./diskuse.ts";

const image = (tag: string, size: number, shared: number, containers: number) => ({
  Id: `sha256:${tag}`,
  RepoTags: [`${tag}:1`],
  Size: size,
  SharedSize: shared,
  Containers: containers,
});
const usage = {
  LayersSize: 900,
  Images: [image("used", 500, 100, 2), image("idle", 500, 100, 0)],
  Containers: [
    { Id: "c1", Names: ["/web"], State: "running", SizeRw: 70 },
    { Id: "c2", Names: ["/old"], State: "exited", SizeRw: 30 },
  ],
  Volumes: [
    { Name: "data", UsageData: { Size: 200, RefCount: 1 } },
    { Name: "a".repeat(64), UsageData: { Size: 50, RefCount: 0 } },
    { Name: "remote", UsageData: { Size: -1, RefCount: 0 } },
  ],
  BuildCache: [
    { ID: "b1", Description: "RUN make", Size: 10, InUse: false, Shared: false },
    { ID: "b2", Description: "layer of an image", Size: 500, InUse: false, Shared: true },
    { ID: "trash", Type: "trash", Description: "3 removed things", Size: 900, InUse: false, Shared: false },
  ],
} as unknown as DiskUsage;

test("each kind has its whole, what a prune deletes, and what that gives back", () => {
  expect(diskUse(usage).map(({ kind, bytes, unused, reclaimable }) => [kind, bytes, unused.map(({ name }) => name), reclaimable])).toEqual([
    ["images", 900, ["idle:1"], 400],
    ["containers", 100, ["old"], 30],
    ["volumes", 250, ["aaaaaaaaaaaa", "remote"], 50],
    ["cache", 10, ["RUN make"], 10],
  ]);
});

test("the largest things come first, whatever they are", () => {
  expect(largest(diskUse(usage), 3).map(({ name }) => name)).toEqual(["used:1", "idle:1", "data"]);
});

test("an engine that has nothing uses nothing", () => {
  expect(diskUse({}).every(({ bytes, items }) => bytes === 0 && items.length === 0)).toBe(true);
});
