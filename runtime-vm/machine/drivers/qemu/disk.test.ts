import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { diskUsage, ensureDisk } from "./disk.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-disk-"))));
afterEach(async () => await rm(dir, { recursive: true }));

test("a fresh disk is long and takes nothing", async () => {
  const path = join(dir, "d");
  expect(await ensureDisk(path, 2 ** 40)).toBe("made");
  expect((await stat(path)).size).toBe(2 ** 40);
  expect(await diskUsage(path)).toBeLessThan(2 ** 20);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a disk grows and keeps what is on it, and is never cut", async () => {
  const path = join(dir, "d");
  await writeFile(path, "kept");
  expect(await ensureDisk(path, 8_192)).toBe("grown");
  expect(await ensureDisk(path, 4_096)).toBe("kept");
  expect((await stat(path)).size).toBe(8_192);
  expect((await readFile(path, "latin1")).slice(0, 5)).toBe("kept\0");
});

test("a disk that cannot be made says where and why", async () => {
  await expect(ensureDisk(join(dir, "no", "d"), 4_096)).rejects.toMatchObject({
    class: "unavailable",
    message: expect.stringMatching(/no\/d of 0 GiB: ENOENT$/) as string,
  });
});
