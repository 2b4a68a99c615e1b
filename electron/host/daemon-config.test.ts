import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readDaemonConfig, writeDaemonConfig } from "./daemon-config.ts";

let dir = "";
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "slipway-daemon-config-"))));
afterEach(() => rmSync(dir, { recursive: true }));

test("daemon.json is written as it was typed; what is no JSON object is refused with its place, and the file stays", async () => {
  const path = join(dir, "daemon.json");
  expect(await readDaemonConfig(path)).toBe("");
  const text = '{\n  "labels": ["a=b"]\n}\n';
  await writeDaemonConfig(path, text);
  expect(await readDaemonConfig(path)).toBe(text);
  await expect(writeDaemonConfig(path, '{\n "labels": oops }')).rejects.toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining("line 2, column 12") as string,
  });
  await expect(writeDaemonConfig(path, "[]")).rejects.toThrow("one JSON object");
  expect(readFileSync(path, "utf8")).toBe(text);
});
