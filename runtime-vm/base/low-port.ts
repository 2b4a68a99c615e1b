import type { ProcFiles } from "./port-holder.ts";

const START = "net.ipv4.ip_unprivileged_port_start";

/** Why a user of this computer may not listen on a port, and what lets them. Elsewhere than on Linux there is no such setting. */
export async function lowPortRefusal(proc: Pick<ProcFiles, "text">, port: number): Promise<string> {
  const start = Number((await proc.text(`/proc/sys/${START.replaceAll(".", "/")}`).catch(() => "")).trim());
  const elsewhere = "publish on a higher port";
  if (!(start > port)) return `permission denied: port ${port} needs more rights; ${elsewhere}`;
  return `permission denied: only root may listen on port ${port}, which is below ${start}; allow it with "sysctl -w ${START}=${port}", or ${elsewhere}`;
}
