import { expect, test } from "vitest";
import { MS } from "../kernel/kernel.ts";
import { parseMountOptions } from "./mount-options.ts";
import { checkVolumeDriver, checkVolumeName, checkVolumeOptions, volumeBytes } from "./request.ts";

test.each(["v1", "a_b", "x.y-z", "0".repeat(64)])("%s is a volume name", (name) => {
  expect(() => checkVolumeName(name)).not.toThrow();
});

test.each(["a/b", "..", "-a", "_a", "a b", "a\n", "ä1"])("%j is no volume name", (name) => {
  expect(() => checkVolumeName(name)).toThrow("includes invalid characters for a local volume name");
});

test("a name of one letter is too short", () => {
  expect(() => checkVolumeName("x")).toThrow("create x: volume name is too short");
});

test("other drivers are not found", () => {
  expect(() => checkVolumeDriver("v", "nope")).toThrow('create v: error looking up volume plugin nope: plugin "nope" not found');
  for (const driver of ["", "local"]) expect(() => checkVolumeDriver("v", driver)).not.toThrow();
});

test("driver options need each other as dockerd's do", () => {
  expect(() => checkVolumeOptions("t", { nope: "x" })).toThrow('create t: invalid option: "nope"');
  expect(() => checkVolumeOptions("t", { type: "tmpfs" })).toThrow('create t: missing required option: "device"');
  expect(() => checkVolumeOptions("t", { o: "x", device: "y" })).toThrow('missing required option: "type"');
  expect(() => checkVolumeOptions("t", { size: "much" })).toThrow("create t: invalid size: 'much'");
  expect(volumeBytes("t", { size: "1m" })).toBe(2 ** 20);
  expect(() => checkVolumeOptions("t", { type: "tmpfs", device: "tmpfs", o: "size=1m" })).not.toThrow();
});

test("mount words become flags, the rest is the file system's", () => {
  expect(parseMountOptions("bind,ro,size=10m,uid=1000,rw,noexec,rslave")).toEqual({
    flags: MS.BIND | MS.NOEXEC,
    propagation: MS.SLAVE | MS.REC,
    data: "size=10m,uid=1000",
  });
  expect(parseMountOptions("")).toEqual({ flags: 0, propagation: 0, data: "" });
});
