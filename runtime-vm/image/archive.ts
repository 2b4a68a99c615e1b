import { execFile } from "node:child_process";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "#base/errors.ts";
import { dateSeconds, linkTree } from "./rootimage.ts";

const run = promisify(execFile);

/** What WSL copies into each distribution's disk; past this something got in that does not belong there. */
const archiveBytesMax = 400 * 2 ** 20;

/** The distribution's own settings (learn.microsoft.com/windows/wsl/wsl-config): root, drives at /mnt, no program of Windows in PATH. */
const wslConfig = `[user]
default=root
[automount]
enabled=true
root=/mnt/
[interop]
appendWindowsPath=false
[network]
hostname=slipway
`;

/**
 * Writes the tar that `wsl.exe --import` makes a distribution of: the tool tree with the engine in it, without kernel and modules,
 * which are WSL's own. The same inputs make the same bytes.
 */
export async function writeArchive(path: string, { tree, engine }: { tree: string; engine: string }, signal: AbortSignal): Promise<void> {
  const staging = `${path}.staging`;
  rmSync(staging, { recursive: true, force: true });
  try {
    linkTree(tree, staging);
    linkTree(engine, join(staging, "usr/lib/slipway"));
    for (const name of ["boot/vmlinuz", "usr/lib/modules"]) rmSync(join(staging, name), { recursive: true, force: true });
    // Of WSL, which writes its own.
    rmSync(join(staging, "etc/resolv.conf"), { force: true });
    writeFileSync(join(staging, "etc/wsl.conf"), wslConfig);
    const same = ["--sort=name", `--mtime=@${dateSeconds}`, "--owner=0", "--group=0", "--numeric-owner", "--format=gnu", "--hard-dereference"];
    await run("tar", ["--create", "--file", path, ...same, "--directory", staging, "."], { signal });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const bytes = statSync(path).size;
  if (bytes > archiveBytesMax) throw new EngineError("internal", `${path} would have ${bytes} bytes, more than the ${archiveBytesMax} it may`);
}
