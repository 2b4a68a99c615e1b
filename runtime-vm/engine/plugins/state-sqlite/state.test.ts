import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stateSuite } from "#core/state/state.suite.ts";
import { openSqliteState } from "./state.ts";

stateSuite("sqlite", () => {
  const dir = mkdtempSync(join(tmpdir(), "state-"));
  return { open: () => openSqliteState(join(dir, "state.db")), remove: () => rmSync(dir, { recursive: true }) };
});

test("a second engine on the same root directory is told so", () => {
  const dir = mkdtempSync(join(tmpdir(), "state-"));
  using _first = openSqliteState(join(dir, "state.db"));
  expect(() => openSqliteState(join(dir, "state.db"))).toThrow(
    expect.objectContaining({ class: "conflict", message: expect.stringContaining("another engine") as string }),
  );
  rmSync(dir, { recursive: true });
});

test("a file that is no database is named, with what to do", () => {
  const dir = mkdtempSync(join(tmpdir(), "state-"));
  writeFileSync(join(dir, "state.db"), "not a database, but long enough to be read as the head of one".repeat(100));
  expect(() => openSqliteState(join(dir, "state.db"))).toThrow(/cannot open the state .*state\.db: .*restore the file/);
  rmSync(dir, { recursive: true });
});
