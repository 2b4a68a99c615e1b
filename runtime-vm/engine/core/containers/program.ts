import { closeSync, constants, fstatSync, readSync } from "node:fs";
import { posix } from "node:path";
import type { ContainerConfig } from "#api/containers.ts";
import { codeOf } from "#base/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Program } from "../why/facts.ts";

type Root = { readonly kernel: Pick<Kernel, "openInRoot">; readonly root: string };

/** Of a file: its head, in which a loader's name and a script's first line are. */
const headBytesMax = 4096;

/** Finds the file that a container's command names, as the runtime would, and reads what it is. */
export function programIn(where: Root, config: ContainerConfig): Program {
  const [word = ""] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const candidates = word.includes("/") ? [posix.resolve(config.WorkingDir || "/", word)] : searchPath(config).map((directory) => posix.join(directory, word));
  for (const path of candidates) {
    const file = fileAt(where, path);
    if (file !== undefined) return { path, file };
  }
  return { path: candidates[0] ?? word };
}

function searchPath({ Env }: ContainerConfig): string[] {
  const path =
    (Env ?? []).findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return path.split(":").filter((directory) => directory !== "");
}

function fileAt(where: Root, path: string): Program["file"] {
  const opened = open(where, path);
  if (opened === undefined) return undefined;
  try {
    const stats = fstatSync(opened);
    const base = { directory: stats.isDirectory(), executable: (stats.mode & 0o111) !== 0 };
    if (!stats.isFile()) return { ...base, kind: "other" };
    const head = Buffer.alloc(headBytesMax);
    return { ...base, ...contentOf(where, head.subarray(0, readSync(opened, head, 0, headBytesMax, 0))) };
  } finally {
    closeSync(opened);
  }
}

/** Undefined: nothing is there. A FIFO is not waited for. */
function open({ kernel, root }: Root, path: string): number | undefined {
  try {
    return kernel.openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

type Content = Pick<NonNullable<Program["file"]>, "kind" | "architecture" | "interpreter" | "crlf">;

function contentOf(where: Root, head: Buffer): Content {
  if (head.subarray(0, 2).toString("latin1") === "#!") return script(where, head);
  return head.subarray(0, 4).toString("latin1") === "\x7fELF" && head.length >= 64 ? binary(where, head) : { kind: "other" };
}

function script(where: Root, head: Buffer): Content {
  const end = head.indexOf("\n");
  const line = head.subarray(2, end < 0 ? head.length : end).toString("utf8");
  const [path = ""] = line.trim().split(/\s+/);
  return { kind: "script", crlf: line.endsWith("\r"), ...(path === "" ? {} : { interpreter: { path, exists: exists(where, path) } }) };
}

function exists(where: Root, path: string): boolean {
  const opened = open(where, path);
  if (opened === undefined) return false;
  closeSync(opened);
  return true;
}

/** e_machine of elf(5), as Docker calls the architectures. */
const machines: Readonly<Record<number, string>> = {
  3: "386",
  8: "mips",
  20: "ppc",
  21: "ppc64le",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
};
const segmentOfInterpreter = 3;

function binary(where: Root, head: Buffer): Content {
  const little = head[5] === 1;
  const wide = head[4] === 2;
  const u16 = (at: number): number => (little ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const u32 = (at: number): number => (little ? head.readUInt32LE(at) : head.readUInt32BE(at));
  // The upper half of a 64-bit offset is nothing in the first 4 KiB.
  const word = (at: number): number => (wide && !little ? u32(at + 4) : u32(at));
  const architecture = machines[u16(18)] ?? `another machine (number ${u16(18)})`;
  const [table, size, count] = [word(wide ? 32 : 28), u16(wide ? 54 : 42), u16(wide ? 56 : 44)];
  for (let at = table, left = count; left > 0 && at + size <= head.length && size > 0; at += size, left -= 1) {
    if (u32(at) !== segmentOfInterpreter) continue;
    const [offset, length] = [word(at + (wide ? 8 : 4)), word(at + (wide ? 32 : 16))];
    const path = head
      .subarray(offset, offset + length)
      .toString("latin1")
      .replace(/\0.*$/s, "");
    return { kind: "binary", architecture, ...(path === "" ? {} : { interpreter: { path, exists: exists(where, path) } }) };
  }
  return { kind: "binary", architecture };
}
