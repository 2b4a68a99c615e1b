import { expect, test } from "vitest";
import { faultsOf, type Standing } from "./faults.ts";

const sound: Standing = {
  layers: new Map([
    ["sha256:a", { whole: true }],
    ["sha256:b", { whole: true }],
  ]),
  roots: [
    { id: "up", layers: ["sha256:a", "sha256:b"], mounted: true },
    { id: "down", layers: ["sha256:a"], mounted: false },
  ],
  layerMounts: ["/run/layers/a"],
  rootMounts: ["/snapshots/up/merged", "/snapshots/up/mapped/0"],
};

test("what goes together has no faults", () => {
  expect(faultsOf(sound)).toEqual([]);
});

test.each<[string, Partial<Standing>, string]>([
  [
    "a layer that lost bytes",
    { layers: new Map([...sound.layers, ["sha256:b", { whole: false }]]) },
    "layer sha256:b: its files are not as long as its record says",
  ],
  ["a root without its layer", { layers: new Map([["sha256:a", { whole: true }]]) }, "root up: stands on layer sha256:b, which is not here"],
  ["a root that is gone from the kernel", { rootMounts: [] }, "root up: should be mounted, and is not"],
  ["a root that was never let go of", { rootMounts: [...sound.rootMounts, "/snapshots/down/merged"] }, "root down: is mounted, though nobody uses it"],
  ["a mount of a removed root", { rootMounts: [...sound.rootMounts, "/snapshots/old/merged"] }, "mount of root old: belongs to no root"],
  ["a mount of a removed layer", { layerMounts: ["/run/layers/c"] }, "mount /run/layers/c: belongs to no layer"],
])("%s is told", (_, other, told) => {
  expect(faultsOf({ ...sound, ...other }).map(({ object, problem }) => `${object}: ${problem}`)).toEqual([told]);
});
