import { expect, test } from "vitest";
import { defaultRoot, endpointOf, hostPaths } from "./paths.ts";

test.each([
  ["linux", "/home/u", {}, "/home/u/.local/share/slipway"],
  ["linux", "/home/u", { XDG_DATA_HOME: "/data" }, "/data/slipway"],
  ["darwin", "/Users/u", {}, "/Users/u/Library/Application Support/Slipway"],
  ["win32", "C:\\Users\\u", {}, "C:\\Users\\u\\AppData\\Local\\Slipway"],
  ["win32", "C:\\Users\\u", { LOCALAPPDATA: "D:\\Local" }, "D:\\Local\\Slipway"],
] as const)("the data directory on %s of %s with %j is %s", (platform, home, env, expected) => {
  expect(defaultRoot({ platform, home, env })).toBe(expected);
});

test("a root too long for a socket gets one in the home directory, and one that fits nowhere is refused", () => {
  const long = `/${"x".repeat(120)}`;
  expect(hostPaths("/root-dir", "darwin", "/Users/u").socket).toBe("/root-dir/docker.sock");
  expect(hostPaths(long, "darwin", "/Users/u").socket).toBe("/Users/u/.slipway/docker.sock");
  expect(() => hostPaths(long, "linux", long)).toThrow("choose a shorter --root");
});

test("docker's spelling of our endpoints", () => {
  expect(endpointOf("/a/docker.sock", "linux")).toBe("unix:///a/docker.sock");
  expect(endpointOf(hostPaths("C:\\x", "win32", "C:\\u").socket, "win32")).toBe("npipe:////./pipe/slipway");
});
