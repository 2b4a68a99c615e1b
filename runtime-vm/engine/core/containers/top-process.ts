import { readFileSync, readdirSync, statSync } from "node:fs";
import { uptime } from "node:os";

/** What the kernel says of one thread of a process: the process itself where `thread` is its own id. */
export interface Proc {
  readonly pid: number;
  readonly thread: number;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly foregroundGroup: number;
  readonly uid: number;
  readonly gid: number;
  readonly realUid: number;
  readonly realGid: number;
  readonly state: string;
  readonly tty: string;
  readonly flags: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly cpuSeconds: number;
  readonly startedAt: Date;
  readonly vszKiB: number;
  readonly rssKiB: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  readonly processor: number;
  readonly realTimePriority: number;
  readonly policy: number;
  readonly comm: string;
  readonly args: string;
}

/** Jiffies a second: what Linux shows user space on every platform we run on. */
const clockTicks = 100;
export const pageKiB = 4;

/** Node 24 reads files that claim no size as text into a buffer that is too short, past 64 KiB: so as bytes first. A container chooses its command line. */
export const procFile = (path: string): string => readFileSync(path).toString("utf8");

export const threadsOf = (pid: number): number[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
};

/** Undefined when it ended meanwhile. Fields as in proc(5), counted after the command's closing parenthesis. */
export function readProcess(pid: number, thread = pid): Proc | undefined {
  try {
    const directory = thread === pid ? `/proc/${pid}` : `/proc/${pid}/task/${thread}`;
    const stat = procFile(`${directory}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const at = (field: number): number => Number(fields[field - 3] ?? "0");
    const comm = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const args = procFile(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
    return {
      pid,
      thread,
      ...owners(directory),
      state: fields[0] ?? "?",
      ppid: at(4),
      group: at(5),
      session: at(6),
      tty: ttyName(at(7)),
      foregroundGroup: at(8),
      flags: at(9),
      minorFaults: at(10),
      majorFaults: at(12),
      cpuSeconds: Math.floor((at(14) + at(15)) / clockTicks),
      priority: at(18),
      nice: at(19),
      threads: at(20),
      startedAt: new Date(Date.now() - uptime() * 1_000 + (at(22) * 1_000) / clockTicks),
      vszKiB: Math.floor(at(23) / 1_024),
      rssKiB: at(24) * pageKiB,
      processor: at(39),
      realTimePriority: at(40),
      policy: at(41),
      comm,
      args: args === "" ? `[${comm}]` : args,
    };
  } catch {
    return undefined;
  }
}

/** The effective ids own the directory, unless the process may not be looked at: then its status tells. */
function owners(directory: string): Pick<Proc, "uid" | "gid" | "realUid" | "realGid"> {
  const status = procFile(`${directory}/status`);
  const ids = (name: string): readonly number[] => (new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).map(Number);
  const { uid, gid } = statSync(directory);
  return { uid: ids("Uid")[1] ?? uid, gid: ids("Gid")[1] ?? gid, realUid: ids("Uid")[0] ?? uid, realGid: ids("Gid")[0] ?? gid };
}

function ttyName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${minor + (major - 136) * 256}` : "?";
}
