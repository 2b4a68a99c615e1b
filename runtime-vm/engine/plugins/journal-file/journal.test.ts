import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileJournal } from "./journal.ts";

test("entries are lines, debug ones only when asked, and the file never passes its limit by much", () => {
  const dir = mkdtempSync(join(tmpdir(), "journal-"));
  const path = join(dir, "engine.log");
  {
    using journal = new FileJournal(path, { debug: false, bytesMax: 500 });
    journal.debug("hidden");
    for (let i = 0; i < 50; i++) journal.info(`entry ${i}`);
  }
  expect(statSync(path).size).toBeLessThanOrEqual(500);
  const kept = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
  expect(kept).toMatch(/info {2}entry 49\n$/);
  expect(kept).not.toContain("hidden");
  rmSync(dir, { recursive: true });
});
