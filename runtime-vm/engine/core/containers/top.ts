import { readFileSync } from "node:fs";
import type { ContainerBackends } from "./backends.ts";
import { resolveHostPath } from "./host-path.ts";
import type { Accounts } from "./top-columns.ts";
import { parsePsArgs } from "./top-format.ts";
import { readProcess, threadsOf } from "./top-process.ts";

/** Answer of `GET /containers/{id}/top`. */
export interface Top {
  readonly Titles: string[];
  /** Null when none is chosen. */
  readonly Processes: string[][] | null;
}

/** Lists `pids` as ps(1) would with `psArgs`: `-ef` is the default. */
export function topOf(backends: Pick<ContainerBackends, "kernel" | "config">, pids: readonly number[], psArgs: string): Top {
  const { row, threads, accepts } = parsePsArgs(psArgs);
  const names = accountNames(backends);
  const processes = pids
    .flatMap((pid) => (threads ? threadsOf(pid).map((thread) => readProcess(pid, thread)) : [readProcess(pid)]))
    .filter((process) => process !== undefined)
    .filter((process) => accepts(process, names));
  return {
    Titles: row.map(({ title }) => title),
    Processes: processes.length === 0 ? null : processes.map((process) => row.map(({ value }) => value(process, names))),
  };
}

/** Names as the machine's own accounts have them: dockerd asks the host's ps. */
function accountNames(backends: Pick<ContainerBackends, "kernel" | "config">): Accounts {
  const users = namesIn(backends, "/etc/passwd");
  const groups = namesIn(backends, "/etc/group");
  return { user: (uid) => users.get(uid) ?? String(uid), group: (gid) => groups.get(gid) ?? String(gid) };
}

function namesIn(backends: Pick<ContainerBackends, "kernel" | "config">, file: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>([[0, "root"]]);
  const path = resolveHostPath(backends, file);
  if (path === undefined) return names;
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const [name = "", , id = ""] = line.split(":");
    if (name !== "" && id !== "") names.set(Number(id), name);
  }
  return names;
}
