import { readdir, readFile, readlink } from "node:fs/promises";
import { isIPv6 } from "node:net";

export interface Holder {
  readonly pid: number;
  readonly name: string;
}

/** Who holds an occupied port of this Linux, as far as this user may see (other users' processes show no descriptors). */
export async function portHolder(proto: "tcp" | "udp", address: string, port: number): Promise<Holder | undefined> {
  const tables = await Promise.all([`${proto}`, `${proto}6`].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")));
  const inodes = new Set(tables.flatMap((table) => holdingInodes(table, proto, address, port)));
  return inodes.size === 0 ? undefined : await ownerOf(inodes);
}

/** Inodes of the sockets in a /proc/net table (proc_net(5)) that stand in the way of binding `address`:`port`. */
export function holdingInodes(table: string, proto: "tcp" | "udp", address: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const state = proto === "tcp" ? "0A" : "07"; // listening; UDP sockets that are not connected
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [host, localPort] = (fields[1] ?? "").split(":");
    const inode = fields[9];
    if (localPort !== wanted || fields[3] !== state || host === undefined || inode === undefined) return [];
    return collides(host, address) ? [inode] : [];
  });
}

/** A socket on every address collides with all, an IPv6 one on `::` with IPv4 too; else the addresses must be the same. */
function collides(hex: string, address: string): boolean {
  if (/^0+$/.test(hex) || address === "" || address === "0.0.0.0" || address === "::") return true;
  if (isIPv6(address)) return true; // Written in many ways; a holder of the same port is worth naming.
  return (
    hex ===
    address
      .split(".")
      .toReversed()
      .map((part) => Number(part).toString(16).toUpperCase().padStart(2, "0"))
      .join("")
  );
}

async function ownerOf(inodes: ReadonlySet<string>): Promise<Holder | undefined> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const fd of fds) {
      const match = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ""));
      if (match?.[1] === undefined || !inodes.has(match[1])) continue;
      return { pid: Number(pid), name: (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?")).trim() };
    }
  }
  return undefined;
}
