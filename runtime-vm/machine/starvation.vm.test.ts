import { execFileSync } from "node:child_process";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { QemuMachine } from "./drivers/qemu/qemu.ts";
import { starvedNotice } from "./drivers/qemu/starvation.ts";
import { imagePaths } from "./names.ts";

const arch = process.arch === "arm64" ? "arm64" : "amd64";
const image = imagePaths(join(import.meta.dirname, "../image/out", arch));

test.skipIf(!process.env["SLIPWAY_TEST_LONG"])(
  "a computer whose disk fills up under a machine pauses it; with room again it goes on, and no write has failed",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "slipway-starved-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1200m", "tmpfs", root]);
    try {
      const ballast = join(root, "ballast");
      execFileSync("fallocate", ["-l", "500M", ballast]);
      const shape = { memoryMiB: 2_048, cpus: 2, diskBytes: 8 * 2 ** 30, folders: [], debug: false, log: () => {} };
      await using machine = new QemuMachine({ root: join(root, "m"), image, arch, accelerator: "auto", platform: process.platform, ...shape });
      await machine.start({ signal: AbortSignal.timeout(300_000) });
      const engine = new EngineClient({ kind: "dial", dial: () => machine.connect() });
      await expect.poll(() => engine.json<object[]>("GET", "/images/json"), { timeout: 60_000 }).toHaveLength(1);
      // Not zeros: those take no room on the computer's disk.
      const script = "dd if=/dev/urandom of=/one bs=1M count=1; all() { for i in $(seq 800); do cat /one; done; }; all > /fill && sync && all | cmp - /fill";
      const { Id } = await engine.json<{ Id: string }>("POST", "/containers/create", { json: { Image: "slipway/welcome", Cmd: ["sh", "-c", script] } });
      await engine.call("POST", `/containers/${Id}/start`);
      await expect.poll(() => machine.status.notices, { timeout: 300_000 }).toContain(starvedNotice);
      // Longer than a guest may be silent that is not paused.
      await new Promise((resolve) => setTimeout(resolve, 90_000));
      expect(machine.status).toMatchObject({ phase: "running", restarts: 0 });
      await rm(ballast);
      await expect.poll(() => machine.status.notices, { timeout: 60_000 }).not.toContain(starvedNotice);
      expect(await engine.json("POST", `/containers/${Id}/wait`)).toMatchObject({ StatusCode: 0 });
      expect(machine.status).toMatchObject({ phase: "running", restarts: 0 });
    } finally {
      execFileSync("umount", [root]);
      await rmdir(root);
    }
  },
);
