import { expect, test } from "vitest";
import { humanSize, progressBar, shortDigest, stepBegun, stepDone, stepProgress } from "./progress.ts";

test.each([
  [0, "0B"],
  [999, "999B"],
  [1000, "1kB"],
  [1536, "1.536kB"],
  [34_603_008, "34.6MB"],
  [109_051_904, "109.1MB"],
  [150_012_990, "150MB"],
  [1_000_000_000_000, "1TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(humanSize(bytes)).toBe(text);
});

// The lines are dockerd 28.5's own, with its numbers.
test.each([
  [11_534_336, 150_012_990, "[===>                                               ]  11.53MB/150MB"],
  [34_603_008, 150_012_990, "[===========>                                       ]   34.6MB/150MB"],
  [122_683_392, 150_012_990, "[========================================>          ]  122.7MB/150MB"],
  [150_012_990, 150_012_990, "[==================================================>]    150MB/150MB"],
  [2, 1, "[==================================================>]       2B"],
  [1234, 0, " 1.234kB"],
  [0, 0, ""],
])("%d of %d is drawn as Docker draws it", (current, total, bar) => {
  expect(progressBar(current, total)).toBe(bar);
});

test("steps have the fields that clients read", () => {
  expect(stepBegun("a", "Pulling fs layer")).toEqual({ status: "Pulling fs layer", progressDetail: {}, id: "a" });
  expect(stepDone("a", "Pull complete")).toEqual({ status: "Pull complete", progressDetail: { hidecounts: true }, id: "a" });
  expect(stepProgress("a", "Downloading", 1, 2)).toMatchObject({ status: "Downloading", progressDetail: { current: 1, total: 2 }, id: "a" });
  expect(shortDigest("sha256:0123456789abcdef")).toBe("0123456789ab");
});
