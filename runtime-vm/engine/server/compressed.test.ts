import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { plain } from "./compressed.ts";

const bytes = Buffer.concat([Buffer.alloc(300_000, "tar"), randomBytes(100_000)]);
/** Programs that not every machine has. */
const programs = ["bzip2", "xz"].filter((program) => spawnSync(program, ["--help"]).error === undefined);
const packedBy = (program: string) => (plainly: Buffer) => execFileSync(program, ["-c"], { input: plainly, maxBuffer: 2 * bytes.length });
const read = async (body: Buffer, encoding?: string): Promise<Buffer> =>
  await buffer(await plain(Readable.from([body.subarray(0, 3), body.subarray(3)], { objectMode: false }), encoding));

test.each<readonly [string, (plainly: Buffer) => Buffer]>([
  ["nothing", (plainly: Buffer) => plainly],
  ["gzip", (plainly) => gzipSync(plainly)],
  ["zstd", (plainly) => zstdCompressSync(plainly)],
  ...programs.map((program) => [program, packedBy(program)] as const),
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
  for (const program of programs) await expect(read(packedBy(program)(bytes).subarray(0, 1_000))).rejects.toThrow(`the archive is no sound ${program} file`);
});

test("a body shorter than what tells a format is plain, and may take its time to end", async () => {
  const body = new PassThrough();
  const told = plain(body, undefined);
  body.write("ju");
  setImmediate(() => body.write("nk", () => setImmediate(() => body.end())));
  expect(await buffer(await told)).toEqual(Buffer.from("junk"));
});
