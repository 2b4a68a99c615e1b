import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emulatedPlatforms } from "./emulated.ts";
import { hostPlatform } from "./platform.ts";

test("what the kernel hands to an emulator is run here, too, while it is enabled", () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-binfmt-"));
  try {
    writeFileSync(join(directory, "qemu-aarch64"), "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: POCF\n");
    writeFileSync(join(directory, "qemu-riscv64"), "disabled\n");
    writeFileSync(join(directory, "qemu-arm"), "enabled\n");
    writeFileSync(join(directory, "qemu-x86_64"), "enabled\n");
    expect(emulatedPlatforms(hostPlatform("x64"), directory)).toEqual([
      { os: "linux", architecture: "arm64" },
      { os: "linux", architecture: "arm", variant: "v7" },
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a kernel that knows no other programs runs its own only", () => {
  expect(emulatedPlatforms(hostPlatform("x64"), "/no/such")).toEqual([]);
});
