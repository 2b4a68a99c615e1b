import { expect, test } from "vitest";
import { firstFile, tarOf } from "./tar.ts";

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

test.each([
  ["a.conf", ""],
  ["a.conf", "x".repeat(512)],
  ["ü".repeat(80), "long name, so a pax header comes first"],
])("what is packed as %s is unpacked again", (name, content) => {
  const file = firstFile(tarOf({ name, mode: 0o640, uid: 1000, gid: 7, bytes: bytes(content) }, 1));
  expect(text(file?.bytes)).toBe(content);
  expect(file).toMatchObject({ mode: 0o640, uid: 1000, gid: 7 });
});

test("the checksum is the sum of the header's bytes with its own field blank", () => {
  const header = tarOf({ name: "a", mode: 0o644, uid: 0, gid: 0, bytes: bytes("x") }, 0).slice(0, 512);
  const said = Number.parseInt(text(header.subarray(148, 155)), 8);
  header.fill(32, 148, 156);
  expect(said).toBe(header.reduce((sum, byte) => sum + byte, 0));
});

test("an archive that was cut short, or holds a directory only, has no file", () => {
  const whole = tarOf({ name: "a", mode: 0o644, uid: 0, gid: 0, bytes: bytes("x".repeat(2000)) }, 0);
  expect(firstFile(whole.subarray(0, 1024))).toBeUndefined();
  expect(firstFile(new Uint8Array(1024))).toBeUndefined();
});
