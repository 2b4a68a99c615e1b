import { expect, test } from "vitest";
import { formatPlatform, hostPlatform, parsePlatform, rankPlatform, type Platform } from "./platform.ts";

const host = hostPlatform("x64");
const of = (text: string): Platform => {
  const [os, architecture, variant] = text.split("/");
  return { os: os!, architecture: architecture!, ...(variant === undefined ? {} : { variant }) };
};

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux", "linux/amd64"],
  ["arm64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/aarch64", "linux/arm64"],
  ["Linux/X86_64", "linux/amd64"],
  ["arm", "linux/arm/v7"],
  ["linux/arm/6", "linux/arm/v6"],
  ["armhf", "linux/arm/v7"],
  ["linux/amd64/v3", "linux/amd64/v3"],
])("--platform %s is %s", (text, platform) => {
  expect(formatPlatform(parsePlatform(text, host))).toBe(platform);
});

test.each([
  ["foo", '"foo": unknown operating system or architecture: invalid argument'],
  ["a/b/c/d", '"a/b/c/d": cannot parse platform specifier: invalid argument'],
  ["linux/", '"" is an invalid component of "linux/": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument'],
])("--platform %s is refused", (text, message) => {
  expect(() => parsePlatform(text, host)).toThrow(expect.objectContaining({ class: "invalidArgument", message }));
});

test.each([
  ["linux/amd64", "linux/amd64", 0],
  ["linux/amd64", "linux/amd64/v1", 0],
  ["linux/amd64", "linux/amd64/v2", undefined],
  ["linux/amd64", "linux/386", 1],
  ["linux/amd64/v3", "linux/amd64/v2", 1],
  ["linux/amd64", "linux/arm64", undefined],
  ["linux/amd64", "windows/amd64", undefined],
  ["linux/arm64", "linux/arm64/v8", 0],
  ["linux/arm64", "linux/arm/v7", 2],
  ["linux/arm/v7", "linux/arm/v6", 1],
  ["linux/arm/v6", "linux/arm/v7", undefined],
])("wanting %s, being offered %s ranks %s", (wanted, offered, rank) => {
  expect(rankPlatform(of(wanted), of(offered))).toBe(rank);
});
