import { lchownSync, lutimesSync } from "node:fs";
import { join } from "node:path";
import type { Files } from "#core/kernel/kernel.ts";
import type { Special } from "./materialize.ts";

/** What takes the kernel's own calls to be made in a layer's directory. */
export function finishSpecials(kernel: Files, directory: string, specials: readonly Special[]): void {
  for (const { path, node, xattrs, uid, gid, time } of specials) {
    // The kernel interface takes text; a layer has names in other encodings next to never, and then not for devices.
    const at = join(directory, Buffer.from(path, "latin1").toString("utf8"));
    if (node !== undefined) kernel.mknod(at, node.mode, node.major, node.minor);
    if (node !== undefined) lchownSync(at, uid, gid);
    for (const [name, value] of xattrs) kernel.setxattr(at, Buffer.from(name, "latin1").toString("utf8"), Buffer.from(value));
    lutimesSync(at, time, time);
  }
}
