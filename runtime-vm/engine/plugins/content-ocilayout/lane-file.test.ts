import { constants } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Piece } from "#core/content/content.ts";
import { LaneFile, type LaneFileOptions, Lanes } from "./lane-file.ts";

const MiB = 1024 * 1024;
const copy = (to: Buffer, at: number, from: Buffer): void => void from.copy(to, at);

async function openLanes(options: Partial<LaneFileOptions> = {}): Promise<{ file: LaneFile; path: string } & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  // Not /tmp, which may be memory: there nothing is written directly.
  const directory = await mkdtemp(join(process.env.TMPDIR ?? "/var/tmp", "lanes-"));
  undo.defer(() => rm(directory, { recursive: true }));
  const path = join(directory, "file");
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
  undo.defer(() => handle.close());
  const file = new LaneFile(path, handle, { lanes: new Lanes(copy), offset: 0, direct: true, lend: undefined, onWritten: () => {}, ...options });
  undo.defer(() => file.close());
  const held = undo.move();
  return { file, path, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

const noise = (length: number): Buffer => Buffer.from(Uint32Array.from({ length: length / 4 }, (_, i) => Math.imul(i, 2_654_435_761)).buffer);

test.each([true, false])("chunks of any length, flushed in the middle of a lane or not, are in the file as they came (direct: %s)", async (direct) => {
  await using opened = await openLanes({ direct });
  const bytes = noise(5 * MiB + 400);
  for (let at = 0, n = 0; at < bytes.length; at += 70_001, n += 1) {
    await opened.file.append(bytes.subarray(at, at + 70_001));
    if (n % 7 === 0) {
      await opened.file.flush();
      expect(opened.file.readable).toBe(opened.file.offset);
    }
  }
  await opened.file.flush();
  expect(opened.file.offset).toBe(bytes.length);
  expect((await readFile(opened.path)).equals(bytes)).toBe(true);
});

test("a file that ends anywhere is continued from there", async () => {
  await using opened = await openLanes();
  const bytes = noise(3 * MiB);
  await opened.file.append(bytes.subarray(0, 1234));
  await opened.file.close();
  const handle = await open(opened.path, "r+");
  await handle.write(bytes, 0, 1234, 0);
  const file = new LaneFile(opened.path, handle, { lanes: new Lanes(copy), offset: 1234, direct: true, lend: undefined, onWritten: () => {} });
  await file.append(bytes.subarray(1234));
  await file.flush();
  await file.close();
  await handle.close();
  expect((await readFile(opened.path)).equals(bytes)).toBe(true);
});

test("a reader is lent each full lane in order, and holds the writer back until it releases one", async () => {
  const lent: Piece[] = [];
  await using opened = await openLanes({ lend: (piece) => lent.push(piece) > 0 });
  const bytes = noise(4 * MiB);
  await opened.file.append(bytes.subarray(0, 3 * MiB));
  expect(lent.map(({ at }) => at)).toEqual([0, MiB, 2 * MiB]);
  let over = false;
  const last = opened.file.append(bytes.subarray(3 * MiB))!.then(() => (over = true));
  await opened.file.flush();
  expect(over).toBe(false);
  expect(Buffer.concat(lent.map((piece) => piece.bytes)).equals(bytes.subarray(0, 3 * MiB))).toBe(true);
  lent[0]!.release();
  await last;
  for (const piece of lent.slice(1)) piece.release();
  await opened.file.flush();
  expect((await readFile(opened.path)).equals(bytes)).toBe(true);
});

test("a write that fails is told by the calls that follow, and nothing is written behind it", async () => {
  await using opened = await openLanes();
  const handle = await open(opened.path, "r");
  const file = new LaneFile(opened.path, handle, { lanes: new Lanes(copy), offset: 0, direct: false, lend: undefined, onWritten: () => {} });
  await file.append(noise(2 * MiB));
  await expect(file.flush()).rejects.toMatchObject({ code: "EBADF" });
  await expect(file.append(noise(8))).rejects.toMatchObject({ code: "EBADF" });
  expect(file.readable).toBe(0);
  await file.close();
  await handle.close();
});
