import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { plain } from "./compressed.ts";

const bytes = Buffer.concat([Buffer.alloc(300_000, "tar"), randomBytes(100_000)]);
const read = async (body: Buffer, encoding?: string): Promise<Buffer> =>
  await buffer(await plain(Readable.from([body.subarray(0, 3), body.subarray(3)], { objectMode: false }), encoding));

test.each([
  ["nothing", (plainly: Buffer) => plainly],
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
])("a body is unpacked by its first bytes: %s", async (_name, packed) => {
  expect((await read(packed(bytes))).equals(bytes)).toBe(true);
});

test("a body is unpacked by its header, or not at all", async () => {
  expect((await read(gzipSync(bytes), "gzip")).equals(bytes)).toBe(true);
  await expect(read(bytes, "br")).rejects.toThrow("unsupported Content-Encoding: br");
  expect(await read(Buffer.alloc(0))).toHaveLength(0);
});

test("what only begins like an archive is refused", async () => {
  await expect(read(gzipSync(bytes).subarray(0, 1_000))).rejects.toThrow();
});
