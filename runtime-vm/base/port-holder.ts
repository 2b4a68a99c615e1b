/** The process that has a port. */
export interface Holder {
  readonly pid: number;
  readonly name: string;
}

/** What is read of Linux's /proc; each rejects for what is not there or not this user's to see. */
export interface ProcFiles {
  text(path: string): Promise<string>;
  list(path: string): Promise<readonly string[]>;
  link(path: string): Promise<string>;
}

/** Who holds an occupied port of this Linux, as far as this user may see (other users' processes show no descriptors). */
export async function portHolder(proc: ProcFiles, proto: "tcp" | "udp", address: string, port: number): Promise<Holder | undefined> {
  const tables = await Promise.all([`${proto}`, `${proto}6`].map((name) => proc.text(`/proc/net/${name}`).catch(() => "")));
  const inodes = new Set(tables.flatMap((table) => holdingInodes(table, proto, address, port)));
  return inodes.size === 0 ? undefined : await ownerOf(proc, inodes);
}

/** For the end of `address already in use`; nothing where the holder cannot be told. */
export const byHolder = (holder: Holder | undefined): string => (holder === undefined ? "" : ` by ${holder.name} (process ${holder.pid})`);

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
  if (/^0+$/.test(hex) || address === "" || address === "0.0.0.0") return true;
  if (address.includes(":")) return true; // Written in many ways; a holder of the same port is worth naming.
  const bytes = address.split(".").map((part) => Number(part).toString(16).toUpperCase().padStart(2, "0"));
  return hex === bytes.toReversed().join("");
}

async function ownerOf(proc: ProcFiles, inodes: ReadonlySet<string>): Promise<Holder | undefined> {
  const pids = (await proc.list("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    for (const fd of await proc.list(`/proc/${pid}/fd`).catch(() => [])) {
      const match = /^socket:\[(\d+)\]$/.exec(await proc.link(`/proc/${pid}/fd/${fd}`).catch(() => ""));
      if (match?.[1] === undefined || !inodes.has(match[1])) continue;
      return { pid: Number(pid), name: (await proc.text(`/proc/${pid}/comm`).catch(() => "?")).trim() };
    }
  }
  return undefined;
}
