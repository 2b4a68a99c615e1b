import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeArchive } from "./archive.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "slipway-archive-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function plant(name: string): { tree: string; engine: string } {
  const tree = join(directory, name, "tree");
  const engine = join(directory, name, "engine");
  for (const path of ["usr/bin", "usr/lib/modules/6.12", "boot", "etc"]) mkdirSync(join(tree, path), { recursive: true });
  mkdirSync(engine);
  writeFileSync(join(engine, "main.mjs"), "engine");
  writeFileSync(join(tree, "boot/vmlinuz"), "kernel");
  writeFileSync(join(tree, "usr/lib/modules/6.12/a.ko"), "module");
  writeFileSync(join(tree, "usr/bin/node"), "node");
  chmodSync(join(tree, "usr/bin/node"), 0o755);
  symlinkSync("usr/bin", join(tree, "bin"));
  return { tree, engine };
}
const never = new AbortController().signal;

test("the distribution has the tree and the engine in it, and nothing of the kernel", async () => {
  const path = join(directory, "a.tar");
  await writeArchive(path, plant("a"), never);
  const list = execFileSync("tar", ["--list", "--verbose", "--numeric-owner", "--file", path], { encoding: "utf8" });
  expect(list).toMatch(/^-rwxr-xr-x 0\/0 .* \.\/usr\/bin\/node$/m);
  expect(list).toMatch(/\.\/usr\/lib\/slipway\/main\.mjs$/m);
  expect(list).toMatch(/\.\/bin -> usr\/bin$/m);
  expect(list).toMatch(/\.\/etc\/wsl\.conf$/m);
  expect(list).not.toMatch(/vmlinuz|modules/);
});

test("the same tree makes the same bytes, whenever it was written", async () => {
  const second = plant("b");
  utimesSync(join(second.tree, "usr/bin/node"), new Date(0), new Date(0));
  await writeArchive(join(directory, "a.tar"), plant("a"), never);
  await writeArchive(join(directory, "b.tar"), second, never);
  expect(readFileSync(join(directory, "a.tar")).equals(readFileSync(join(directory, "b.tar")))).toBe(true);
});
