// @vitest-environment node
import { expect, test } from "vitest";
import type { ImageSummary } from "#api/images.ts";
import { starterState } from "./starter.ts";

const image = (tag: string): ImageSummary => ({ Id: "sha256:1", RepoTags: [tag] }) as unknown as ImageSummary;

test("the starter image is here once the engine lists it", () => {
  expect(starterState([image("slipway/welcome:latest")], 0, 1e9)).toBe("here");
});

test("an engine without any image that has just started is still unpacking it", () => {
  expect(starterState([], 1_000, 2_000)).toBe("coming");
  expect(starterState(undefined, undefined, 2_000)).toBe("coming");
});

test("it was deleted when other images are there, or when it does not come", () => {
  expect(starterState([image("busybox:latest")], 1_000, 2_000)).toBe("gone");
  expect(starterState([], 1_000, 1_000 + 150_000)).toBe("gone");
});
