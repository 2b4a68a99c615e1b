import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MNT, type Kernel } from "#core/kernel/kernel.ts";
import { messageOf } from "#base/errors.ts";
import { blockBytes, encodeHeader } from "#core/layers/tar-header.ts";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import { encodeErofs } from "./erofs-image.ts";
import { LayerTree } from "./layer-tree.ts";
import { mountIndex, type MountMethod } from "./layer-mounts.ts";

const candidates: readonly MountMethod[] = [{ kind: "file", directio: true }, { kind: "file", directio: false }, { kind: "loop" }];

/**
 * Finds out how layers can be mounted, by mounting one and reading from it: on disks with 4096-byte sectors a `directio`
 * mount succeeds and every read fails. Never throws; where nothing works layers are kept as directories.
 */
export function probeMounts(kernel: Kernel, layers: string, run: string, log: (message: string) => void): MountMethod {
  const files = { tar: join(layers, "probe.tar"), index: join(layers, "probe.erofs"), target: join(run, "probe") };
  mkdirSync(files.target, { recursive: true, mode: 0o700 });
  try {
    // Those of an earlier start may have been torn by a power cut: that they do not read back says nothing of the kernel.
    const known = existsSync(files.tar) && existsSync(files.index) ? methodFor(kernel, files, () => undefined) : undefined;
    if (known !== undefined) return known;
    writeFiles(files);
    return methodFor(kernel, files, log) ?? { kind: "directories" };
  } finally {
    rmdirSync(files.target);
  }
}

const content = Buffer.alloc(3 * 4096 + 1, "slipway ");

interface Files {
  readonly tar: string;
  readonly index: string;
  readonly target: string;
}

function methodFor(kernel: Kernel, files: Files, log: (message: string) => void): MountMethod | undefined {
  for (const method of candidates) {
    try {
      if (readsBack(kernel, method, files)) return method;
      log(`layers: mounting by ${describe(method)} works but reads other bytes than were written`);
    } catch (error) {
      log(`layers: no mounting by ${describe(method)}: ${messageOf(error)}`);
    }
  }
  return undefined;
}

function readsBack(kernel: Kernel, method: MountMethod, files: Files): boolean {
  mountIndex(kernel, method, files);
  try {
    return readFileSync(join(files.target, "file")).equals(content);
  } finally {
    kernel.umount(files.target, MNT.DETACH);
  }
}

/** They stay for the next start: one on a full disk could not write them. */
function writeFiles(files: Files): void {
  const head = encodeHeader({ name: "file", type: "0", size: content.length });
  const tar = Buffer.concat([head, content, Buffer.alloc(3 * blockBytes - (content.length % blockBytes))]);
  writeFileSync(files.tar, tar);
  writeFileSync(files.index, indexOf(tar));
}

function indexOf(bytes: Buffer): Buffer {
  const tree = new LayerTree();
  new TarScanner({ entry: (entry) => tree.add(entry) }).push(bytes);
  return encodeErofs(tree.root, bytes.length);
}

const describe = (method: MountMethod): string => (method.kind === "file" ? `file${method.directio ? " with directio" : ""}` : method.kind);
