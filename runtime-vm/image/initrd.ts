import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import { cpio, cpioDirectory, type CpioEntry, cpioFile } from "./cpio.ts";
import type { Module } from "./modules.ts";

const level = 19;

/** The first file system: busybox, the modules that reach the root image in the order they load, and the script that does it. */
export function writeInitrd(path: string, { busybox, script, modules }: { busybox: string; script: string; modules: ReadonlyMap<Module, Buffer> }): void {
  const loads = [...modules.keys()].map((module) => `$b insmod /modules/${basename(module.path)}`);
  const init = readFileSync(script, "utf8").replace("@LOAD_MODULES@", loads.join("\n"));
  const entries: CpioEntry[] = [
    ...["bin", "dev", "proc", "sys", "root", "modules"].map(cpioDirectory),
    cpioFile("init", Buffer.from(init), 0o100755),
    cpioFile("bin/busybox", readFileSync(busybox), 0o100755),
    ...[...modules].map(([module, contents]) => cpioFile(`modules/${basename(module.path)}`, contents)),
  ];
  writeFileSync(path, zstdCompressSync(cpio(entries), { params: { [constants.ZSTD_c_compressionLevel]: level } }));
}
