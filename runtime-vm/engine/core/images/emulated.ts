import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Platform, normalized } from "./platform.ts";

/** Names under which QEMU's user emulation is registered by Debian and everybody after it, and what they run. */
const emulators: Readonly<Record<string, string>> = {
  "qemu-aarch64": "arm64",
  "qemu-arm": "arm",
  "qemu-i386": "386",
  "qemu-ppc64le": "ppc64le",
  "qemu-riscv64": "riscv64",
  "qemu-s390x": "s390x",
  "qemu-x86_64": "amd64",
};

/** Platforms beside the host's own whose programs its kernel hands to an emulator (Documentation/admin-guide/binfmt-misc.rst). */
export const emulatedPlatforms = (host: Platform, directory = "/proc/sys/fs/binfmt_misc"): readonly Platform[] =>
  Object.entries(emulators)
    .filter(([name, architecture]) => architecture !== host.architecture && isEnabled(join(directory, name)))
    .map(([, architecture]) => normalized({ os: "linux", architecture }));

function isEnabled(path: string): boolean {
  try {
    return readFileSync(path).toString().startsWith("enabled");
  } catch {
    return false;
  }
}
