import { EngineError } from "#base/errors.ts";
import { type Proc, pageKiB, procFile } from "./top-process.ts";

/** Names of accounts by number. */
export interface Accounts {
  readonly user: (uid: number) => string;
  readonly group: (gid: number) => string;
}

export type Value = (process: Proc, names: Accounts) => string;

/** A column of ps(1): what stands over it, and what stands in it. */
export interface Column {
  readonly title: string;
  readonly value: Value;
}

const column = (title: string, value: Value): Column => ({ title, value });

/** The columns of ps(1) that people ask for. */
export const columns = {
  pid: column("PID", (p) => String(p.pid)),
  ppid: column("PPID", (p) => String(p.ppid)),
  pgid: column("PGID", (p) => String(p.group)),
  sid: column("SID", (p) => String(p.session)),
  tpgid: column("TPGID", (p) => String(p.foregroundGroup)),
  lwp: column("LWP", (p) => String(p.thread)),
  spid: column("SPID", (p) => String(p.thread)),
  tid: column("TID", (p) => String(p.thread)),
  nlwp: column("NLWP", (p) => String(p.threads)),
  thcount: column("THCNT", (p) => String(p.threads)),
  uid: column("UID", (p) => String(p.uid)),
  euid: column("EUID", (p) => String(p.uid)),
  ruid: column("RUID", (p) => String(p.realUid)),
  gid: column("GID", (p) => String(p.gid)),
  egid: column("EGID", (p) => String(p.gid)),
  rgid: column("RGID", (p) => String(p.realGid)),
  user: column("USER", (p, { user }) => user(p.uid)),
  euser: column("EUSER", (p, { user }) => user(p.uid)),
  ruser: column("RUSER", (p, { user }) => user(p.realUid)),
  group: column("GROUP", (p, { group }) => group(p.gid)),
  egroup: column("EGROUP", (p, { group }) => group(p.gid)),
  rgroup: column("RGROUP", (p, { group }) => group(p.realGid)),
  c: column("C", (p) => String(Math.floor(cpuPercent(p)))),
  "%cpu": column("%CPU", (p) => cpuPercent(p).toFixed(1)),
  "%mem": column("%MEM", (p) => ((100 * p.rssKiB) / memoryTotalKiB()).toFixed(1)),
  vsz: column("VSZ", (p) => String(p.vszKiB)),
  rss: column("RSS", (p) => String(p.rssKiB)),
  sz: column("SZ", (p) => String(Math.floor(p.vszKiB / pageKiB))),
  maj_flt: column("MAJFL", (p) => String(p.majorFaults)),
  min_flt: column("MINFL", (p) => String(p.minorFaults)),
  tty: column("TT", (p) => p.tty),
  tname: column("TTY", (p) => p.tty),
  stat: column("STAT", statOf),
  state: column("S", (p) => p.state),
  f: column("F", (p) => ((p.flags >> 6) & 7).toString(8)),
  pri: column("PRI", (p) => String(39 - p.priority)),
  ni: column("NI", (p) => (p.policy === 1 || p.policy === 2 ? "-" : String(p.nice))),
  cls: column("CLS", policyOf),
  policy: column("POL", policyOf),
  rtprio: column("RTPRIO", (p) => (p.realTimePriority === 0 ? "-" : String(p.realTimePriority))),
  psr: column("PSR", (p) => String(p.processor)),
  addr: column("ADDR", () => "-"),
  wchan: column("WCHAN", waitsIn),
  label: column("LABEL", labelOf),
  stime: column("STIME", (p) => shortTime(p.startedAt)),
  start: column("STARTED", (p) => p.startedAt.toTimeString().slice(0, 8)),
  lstart: column("STARTED", (p) => p.startedAt.toString().slice(0, 24)),
  time: column("TIME", (p) => clock(p.cpuSeconds)),
  etime: column("ELAPSED", (p) => elapsed(ageSeconds(p))),
  etimes: column("ELAPSED", (p) => String(Math.floor(ageSeconds(p)))),
  comm: column("COMMAND", (p) => p.comm),
  args: column("COMMAND", (p) => p.args),
  cmd: column("CMD", (p) => p.args),
} as const satisfies Readonly<Record<string, Column>>;

const aliases: Readonly<Record<string, keyof typeof columns>> = {
  pgrp: "pgid",
  sess: "sid",
  session: "sid",
  command: "args",
  ucmd: "comm",
  ucomm: "comm",
  fname: "comm",
  pcpu: "%cpu",
  pmem: "%mem",
  tt: "tty",
  s: "state",
  flags: "f",
  flag: "f",
  nice: "ni",
  class: "cls",
  rssize: "rss",
  rsz: "rss",
  vsize: "vsz",
  start_time: "stime",
  cputime: "time",
  majflt: "maj_flt",
  minflt: "min_flt",
};

/** The column of that name, or class invalidArgument in the words of ps. */
export function columnNamed(name: string): Column {
  const known = aliases[name] ?? name;
  if (Object.hasOwn(columns, known)) return columns[known as keyof typeof columns];
  throw new EngineError("invalidArgument", `ps: error: unknown user-defined format specifier "${name}"`);
}

const ageSeconds = (p: Proc): number => Math.max(0.01, (Date.now() - p.startedAt.getTime()) / 1_000);
const cpuPercent = (p: Proc): number => (100 * p.cpuSeconds) / ageSeconds(p);
const memoryTotalKiB = (): number => Number(/^MemTotal:\s+(\d+)/m.exec(procFile("/proc/meminfo"))?.[1] ?? "1");
const pad = (n: number): string => String(Math.floor(n)).padStart(2, "0");
const clock = (seconds: number): string => `${pad(seconds / 3600)}:${pad((seconds / 60) % 60)}:${pad(seconds % 60)}`;

/** As BSD shows it: minutes and seconds. */
export const minutes: Value = (p) => `${Math.floor(p.cpuSeconds / 60)}:${pad(p.cpuSeconds % 60)}`;

function elapsed(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3_600) % 24;
  return `${days > 0 ? `${days}-` : ""}${days > 0 || hours > 0 ? `${pad(hours)}:` : ""}${pad((seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

/** Today's processes by the clock, older ones by the day. */
function shortTime(date: Date): string {
  if (Date.now() - date.getTime() < 86_400_000) return date.toTimeString().slice(0, 5);
  return date.toDateString().slice(4, 10).replace(" ", "").replace(" ", "");
}

function statOf(p: Proc): string {
  const leads = p.session === p.pid ? "s" : "";
  const before = p.foregroundGroup === p.group && p.tty !== "?" ? "+" : "";
  return `${p.state}${p.nice < 0 ? "<" : p.nice > 0 ? "N" : ""}${leads}${p.threads > 1 ? "l" : ""}${before}`;
}

function policyOf({ policy }: Proc): string {
  return ["TS", "FF", "RR", "B", "ISO", "IDL", "DLN"][policy] ?? "?";
}

/** The kernel function it sleeps in, as short as ps shows it. */
function waitsIn({ pid, thread }: Proc): string {
  const name = asked(`/proc/${pid}/task/${thread}/wchan`);
  return name === "" || name === "0" ? "-" : name.slice(0, 6);
}

function labelOf({ pid, thread }: Proc): string {
  return asked(`/proc/${pid}/task/${thread}/attr/current`) || "-";
}

/** What not every kernel tells. */
function asked(path: string): string {
  try {
    return procFile(path).replaceAll("\0", "").trim();
  } catch {
    return "";
  }
}
