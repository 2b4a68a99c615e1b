import { expect, test } from "vitest";
import { compareVersions, gates, has, parseApiVersion } from "./versions.ts";

test("versions compare by number, not by letter", () => {
  expect(compareVersions("1.9", "1.24")).toBeLessThan(0);
  expect(compareVersions("1.51", "1.51")).toBe(0);
  expect(compareVersions("1.100", "1.51")).toBeGreaterThan(0);
});

test("no version in the path means the newest", () => {
  expect(parseApiVersion(undefined)).toBe("1.51");
});

test.each(["1.24", "1.41", "1.44", "1.47", "1.51"])("version %s is served", (version) => {
  expect(parseApiVersion(version)).toBe(version);
});

test("a version out of range is refused in Docker's words", () => {
  expect(() => parseApiVersion("1.52")).toThrow("client version 1.52 is too new. Maximum supported API version is 1.51");
  expect(() => parseApiVersion("1.23")).toThrow(
    "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
  );
});

test("a gate opens at its version", () => {
  expect(has(parseApiVersion("1.41"), "multiplexedContentType")).toBe(false);
  expect(has(parseApiVersion("1.42"), "multiplexedContentType")).toBe(true);
  expect(Object.values(gates).every((version) => /^1\.\d+$/.test(version))).toBe(true);
});
