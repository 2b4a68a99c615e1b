import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { optionsFor, shimBinaryOf } from "./runtimes.ts";

test("a runtime type names its shim's program, or is its path", () => {
  expect(shimBinaryOf("io.containerd.runsc.v1")).toBe("containerd-shim-runsc-v1");
  expect(shimBinaryOf("io.containerd.kata-qemu.v2")).toBe("containerd-shim-kata-qemu-v2");
  expect(shimBinaryOf("/opt/bin/shim")).toBe("/opt/bin/shim");
  for (const bad of ["runsc", "io.containerd.runsc", "io.containerd../x.v1", ""]) expect(() => shimBinaryOf(bad)).toThrow("invalid runtime type");
});

test("a program with arguments gets a script that passes them on, quoted", () => {
  const dir = mkdtempSync(join(tmpdir(), "runtimes-"));
  const program = join(dir, "it's a runtime");
  writeFileSync(program, '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 });
  const runtime = { kind: "oci", path: program, args: ["--a b", "it's"] } as const;
  const options = optionsFor(runtime, dir).toString("latin1");
  expect(optionsFor(runtime, dir).toString("latin1")).toBe(options);
  const [script = "", ...more] = readdirSync(dir).filter((name) => name !== "it's a runtime");
  expect(more).toEqual([]);
  expect(options).toContain(join(dir, script));
  expect(execFileSync(join(dir, script), ["create", "x"], { encoding: "utf8" })).toBe("--a b|it's|create|x|");
  rmSync(dir, { recursive: true });
});

test("runc's shim gets runc's options, others the general ones", () => {
  const said = (type: string, options: Record<string, unknown>): string => optionsFor({ kind: "shim", type, options }, "/shims").toString("latin1");
  expect(said("io.containerd.runc.v2", { BinaryName: "youki" })).toMatch(/containerd\.runc\.v1\.Options[^]*youki/);
  expect(said("io.containerd.runsc.v1", { TypeUrl: "io.containerd.runsc.v1.options", ConfigPath: "/etc/runsc.toml" })).toMatch(
    /runtimeoptions\.v1\.Options[^]*runsc\.v1\.options[^]*\/etc\/runsc\.toml/,
  );
});
