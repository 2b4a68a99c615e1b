import { closeSync, constants, readFileSync } from "node:fs";
import { type Kernel, KernelError } from "../kernel/kernel.ts";
import { parseResolvConf, type ResolvConf } from "./files.ts";

/** Reads a file of the host (`/etc/resolv.conf`); "" when there is none. */
export type HostFile = (path: string) => string;

/** The host's files lie under `prefix`. They may be links with absolute targets, which are followed inside it. */
export function hostFileReader(kernel: Kernel, prefix: string): HostFile {
  return (path) => {
    try {
      const fd = kernel.openInRoot(prefix === "" ? "/" : prefix, path, constants.O_RDONLY);
      try {
        return readFileSync(fd, "utf8");
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (error instanceof KernelError && ["ENOENT", "ENOTDIR", "EACCES"].includes(error.code)) return "";
      throw error;
    }
  };
}

/** The stub that systemd-resolved listens on, and where it writes the resolvers behind it. */
const STUB = "127.0.0.53";
const BEHIND_STUB = "/run/systemd/resolve/resolv.conf";

/** The host's resolver configuration, with the real resolvers where the usual file names only the stub. */
export function hostResolvConf(hostFile: HostFile): ResolvConf {
  const own = parseResolvConf(hostFile("/etc/resolv.conf"));
  if (own.servers.length !== 1 || own.servers[0] !== STUB) return own;
  const behind = parseResolvConf(hostFile(BEHIND_STUB));
  return behind.servers.length === 0 ? own : behind;
}
