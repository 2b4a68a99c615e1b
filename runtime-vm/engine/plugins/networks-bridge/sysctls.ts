/** Kernel settings that networks need, below /proc/sys of the namespace the caller is in. */
import { readFileSync, writeFileSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import type { Link } from "#core/networks/driver.ts";

/** Lets this host pass packets on. Where the sysctl cannot be written (a read-only /proc/sys) it must be on already. */
export function forwarding(v6: boolean): void {
  writeSysctl("ipv4/ip_forward", "1");
  if (v6) writeSysctl("ipv6/conf/all/forwarding", "1");
}

/** What a container asks of its interface. */
export function writeAsked({ path, value }: Link["sysctls"][number]): void {
  const name = path.replaceAll("/", ".");
  if (value === undefined) throw new EngineError("invalidArgument", `expected sysctl '${name}' to have format name=value`);
  try {
    writeFileSync(`/proc/sys/${path}`, value);
  } catch (cause) {
    throw new EngineError("invalidArgument", `/proc/sys/${path} is not a sysctl file, or does not take ${JSON.stringify(value)}`, { cause });
  }
}

export function writeSysctl(name: string, value: string): void {
  const path = `/proc/sys/net/${name}`;
  try {
    if (readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value);
  } catch (cause) {
    // A kernel without IPv6 has no such file, and nothing to switch off.
    if (name.startsWith("ipv6/") && cause instanceof Error && "code" in cause && cause.code === "ENOENT") return;
    throw new EngineError("internal", `cannot set ${path} to ${value}`, { cause });
  }
}
