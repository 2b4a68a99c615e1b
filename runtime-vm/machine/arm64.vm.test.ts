import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { emulator } from "./drivers/qemu/command.ts";
import { QemuMachine } from "./drivers/qemu/qemu.ts";
import { imagePaths } from "./names.ts";

const image = imagePaths(join(import.meta.dirname, "../image/out/arm64"));

function whyNot(): string | undefined {
  if (!process.env["SLIPWAY_TEST_LONG"]) return "another architecture takes minutes to emulate: npm run test:long";
  if (process.arch === "arm64") return "this computer's own image is arm64: the other tests boot it";
  const missing = Object.values(image).find((path) => !existsSync(path));
  if (missing !== undefined) return `${missing} is missing: npm run image -- --arch arm64`;
  try {
    execFileSync(emulator("arm64", process.platform), ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "qemu-system-aarch64 is missing: apt-get install qemu-system-arm";
  }
}

const reason = whyNot();

test.skipIf(reason !== undefined)(
  `the arm64 image boots and runs a container of its own architecture${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  async () => {
    const root = await mkdtemp(join(tmpdir(), "slipway-arm64-"));
    try {
      const [arch, accelerator] = ["arm64", "tcg"] as const;
      const shape = { memoryMiB: 2_048, cpus: 2, diskBytes: 4 * 2 ** 30, folders: [], debug: false, log: () => {} };
      await using machine = new QemuMachine({ root, image, arch, accelerator, platform: process.platform, ...shape });
      await machine.start({ signal: AbortSignal.timeout(500_000) });
      const engine = new EngineClient({ kind: "dial", dial: () => machine.connect() });
      expect(await engine.json("GET", "/version")).toMatchObject({ Arch: "arm64", Os: "linux" });
      await expect.poll(() => engine.json<object[]>("GET", "/images/json"), { timeout: 120_000 }).toHaveLength(1);
      const { Id } = await engine.json<{ Id: string }>("POST", "/containers/create", {
        json: { Image: "slipway/welcome", Cmd: ["sh", "-c", "test $(uname -m) = aarch64"] },
      });
      await engine.call("POST", `/containers/${Id}/start`);
      expect(await engine.json("POST", `/containers/${Id}/wait`)).toMatchObject({ StatusCode: 0 });
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
);
