import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { codeOf } from "#base/errors.ts";

/**
 * A controller the kernel does not hand out has no files; a container that just ended has no directory. Read at once: the kernel makes
 * these texts in microseconds, and each would be handed to another thread and back four times.
 */
export function readOrEmpty(path: string): string {
  try {
    return existsSync(path) ? readText(path) : "";
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENODEV" || code === "ESRCH" || code === "EINVAL" || code === "EOPNOTSUPP") return "";
    throw error;
  }
}

/** Shared: every use is synchronous. */
const buffer = Buffer.allocUnsafe(16 * 1024);

/** Without what fs.readFileSync does for files whose size nobody knows, which takes longer than reading them. */
export function readText(path: string): string {
  const fd = openSync(path, "r");
  try {
    let text = "";
    for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) text += buffer.toString("latin1", 0, bytes);
    return text;
  } finally {
    closeSync(fd);
  }
}
