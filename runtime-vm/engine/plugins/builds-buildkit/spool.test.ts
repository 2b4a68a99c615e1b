import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Spool } from "./spool.ts";

test("what is added is read again, in any order, whether it fits into memory or not; the file goes with it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "spool-"));
  try {
    const path = join(directory, "file");
    const pieces = [];
    {
      await using spool = new Spool(path);
      for (let i = 0; i < 7; i += 1) {
        pieces.push(await spool.add(Buffer.alloc(1024 * 1024, i)));
        expect(existsSync(path)).toBe(i >= 4);
      }
      expect(spool.bytes).toBe(7 * 1024 * 1024);
      expect(statSync(path).size).toBe(3 * 1024 * 1024);
      for (const i of [6, 0, 4, 5, 3]) expect(await spool.read(pieces[i]!)).toEqual(Buffer.alloc(1024 * 1024, i));
    }
    expect(existsSync(path)).toBe(false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
