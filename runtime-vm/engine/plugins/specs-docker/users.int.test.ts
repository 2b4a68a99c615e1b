import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { readAccounts } from "./users.ts";

test("accounts are read inside the root only, wherever links point", () => {
  const dir = mkdtempSync(join(tmpdir(), "slipway-users-"));
  const kernel = createKernel();
  try {
    mkdirSync(join(dir, "root/etc"), { recursive: true });
    mkdirSync(join(dir, "root/inside"));
    writeFileSync(join(dir, "outside"), "evil:x:0:0::/:\n");
    writeFileSync(join(dir, "root/inside/passwd"), "good:x:1:1::/:\n");
    symlinkSync("/inside/passwd", join(dir, "root/etc/passwd"));
    symlinkSync("../../outside", join(dir, "root/etc/group"));
    expect(readAccounts(kernel, join(dir, "root"))).toEqual({ passwd: "good:x:1:1::/:\n", group: "" });
    mkdirSync(join(dir, "bare"));
    expect(readAccounts(kernel, join(dir, "bare"))).toEqual({ passwd: "", group: "" });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
