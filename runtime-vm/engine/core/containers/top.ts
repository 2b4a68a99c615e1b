import { readFileSync, statSync } from "node:fs";
import { uptime } from "node:os";
import { EngineError } from "#base/errors.ts";
import type { ContainerBackends } from "./backends.ts";
import { resolveHostPath } from "./host-path.ts";

/** Answer of `GET /containers/{id}/top`. */
export interface Top {
  readonly Titles: string[];
  readonly Processes: string[][];
}

interface Proc {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly state: string;
  readonly tty: string;
  readonly cpuSeconds: number;
  readonly startedAt: Date;
  readonly vszKiB: number;
  readonly rssKiB: number;
  readonly comm: string;
  readonly args: string;
  readonly session: number;
  readonly threads: number;
  readonly nice: number;
  readonly foreground: boolean;
}

type Column = (process: Proc, users: Users) => string;
type Users = (uid: number) => string;

/** Jiffies a second: what Linux shows user space on every platform we run on. */
const clockTicks = 100;
const pageKiB = 4;

/** The columns of ps(1) that people ask for. */
const columns: Readonly<Record<string, { readonly title: string; readonly value: Column }>> = {
  uid: { title: "UID", value: (p) => String(p.uid) },
  user: { title: "USER", value: (p, users) => users(p.uid) },
  pid: { title: "PID", value: (p) => String(p.pid) },
  ppid: { title: "PPID", value: (p) => String(p.ppid) },
  c: { title: "C", value: (p) => String(Math.floor(cpuPercent(p))) },
  "%cpu": { title: "%CPU", value: (p) => cpuPercent(p).toFixed(1) },
  "%mem": { title: "%MEM", value: (p) => ((100 * p.rssKiB) / memoryTotalKiB()).toFixed(1) },
  vsz: { title: "VSZ", value: (p) => String(p.vszKiB) },
  rss: { title: "RSS", value: (p) => String(p.rssKiB) },
  tty: { title: "TT", value: (p) => p.tty },
  stat: { title: "STAT", value: statOf },
  state: { title: "S", value: (p) => p.state },
  stime: { title: "STIME", value: (p) => shortTime(p.startedAt) },
  start: { title: "STARTED", value: (p) => p.startedAt.toTimeString().slice(0, 8) },
  time: { title: "TIME", value: (p) => clock(p.cpuSeconds) },
  etime: { title: "ELAPSED", value: (p) => elapsed((Date.now() - p.startedAt.getTime()) / 1_000) },
  comm: { title: "COMMAND", value: (p) => p.comm },
  args: { title: "COMMAND", value: (p) => p.args },
  ni: { title: "NI", value: (p) => String(p.nice) },
  nlwp: { title: "NLWP", value: (p) => String(p.threads) },
};
const aliases: Readonly<Record<string, string>> = {
  cmd: "args",
  command: "args",
  ucmd: "comm",
  pcpu: "%cpu",
  pmem: "%mem",
  tt: "tty",
  tname: "tty",
  s: "state",
  nice: "ni",
  euser: "user",
  euid: "uid",
  thcount: "nlwp",
  rssize: "rss",
  vsize: "vsz",
  start_time: "stime",
  cputime: "time",
};

const full: Row = [
  ["UID", (p, users) => users(p.uid)],
  named("pid"),
  named("ppid"),
  named("c"),
  named("stime"),
  ["TTY", (p) => p.tty],
  named("time"),
  ["CMD", (p) => p.args],
];
const aux: Row = [
  named("user"),
  named("pid"),
  named("%cpu"),
  named("%mem"),
  named("vsz"),
  named("rss"),
  ["TTY", (p) => p.tty],
  named("stat"),
  ["START", (p) => shortTime(p.startedAt)],
  ["TIME", (p) => `${Math.floor(p.cpuSeconds / 60)}:${pad(p.cpuSeconds % 60)}`],
  named("args"),
];

type Row = readonly (readonly [string, Column])[];

function named(name: string): readonly [string, Column] {
  const column = columns[aliases[name] ?? name];
  if (column === undefined) throw new EngineError("invalidArgument", `ps: error: unknown user-defined format specifier "${name}"`);
  return [name === "cmd" ? "CMD" : column.title, column.value];
}

/** Lists `pids` as ps(1) would with `psArgs`: `-ef` (the default), `aux`, or any `-o` list of the columns above. */
export function topOf(backends: Pick<ContainerBackends, "kernel" | "config">, pids: readonly number[], psArgs: string): Top {
  const row = rowOf(psArgs);
  const users = userNames(backends);
  const processes = pids.flatMap((pid) => readProcess(pid) ?? []);
  return { Titles: row.map(([title]) => title), Processes: processes.map((process) => row.map(([, value]) => value(process, users))) };
}

function rowOf(psArgs: string): Row {
  const words = psArgs
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  const wanted = words.flatMap((word, i) => {
    const inline = /^(?:-?o|--format=)(.+)$/.exec(word)?.[1];
    if (inline !== undefined && !word.startsWith("-ef")) return inline.split(",");
    return /^(?:-[a-z]*o|o)$/.test(words[i - 1] ?? "") ? word.split(",") : [];
  });
  if (wanted.length > 0) return wanted.map((name) => titled(name));
  if (/^-?[ax]*u[ax]*$/.test(words[0] ?? "")) return aux;
  if (words.every((word) => !/^[a-zA-Z]+$/.test(word) || /^[aefjlruvxTHS]+$/.test(word))) return full;
  throw new EngineError("invalidArgument", `ps: error: unsupported option ${JSON.stringify(words.join(" "))}: give -ef, aux, or columns with -o`);
}

/** `pid=PROCESS` gives a column its own title. */
function titled(spec: string): readonly [string, Column] {
  const [name = "", title] = spec.split("=", 2);
  const [standard, value] = named(name.toLowerCase());
  return [title ?? standard, value];
}

/** Node 24 reads files that claim no size as text into a buffer that is too short, past 64 KiB: so as bytes first. A container chooses its command line. */
const procFile = (path: string): string => readFileSync(path).toString("utf8");

/** Undefined when it ended meanwhile. Fields as in proc(5), counted after the command's closing parenthesis. */
function readProcess(pid: number): Proc | undefined {
  try {
    const stat = procFile(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const at = (field: number): number => Number(fields[field - 3] ?? "0");
    const comm = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const args = procFile(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
    return {
      pid,
      ppid: at(4),
      uid: statSync(`/proc/${pid}`).uid,
      state: fields[0] ?? "?",
      tty: ttyName(at(7)),
      cpuSeconds: Math.floor((at(14) + at(15)) / clockTicks),
      startedAt: new Date(Date.now() - uptime() * 1_000 + (at(22) * 1_000) / clockTicks),
      vszKiB: Math.floor(at(23) / 1_024),
      rssKiB: at(24) * pageKiB,
      comm,
      args: args === "" ? `[${comm}]` : args,
      session: at(6),
      threads: at(20),
      nice: at(19),
      foreground: at(8) === at(5),
    };
  } catch {
    return undefined;
  }
}

function ttyName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${minor + (major - 136) * 256}` : "?";
}

const ageSeconds = (p: Proc): number => Math.max(0.01, (Date.now() - p.startedAt.getTime()) / 1_000);
const cpuPercent = (p: Proc): number => (100 * p.cpuSeconds) / ageSeconds(p);
const memoryTotalKiB = (): number => Number(/^MemTotal:\s+(\d+)/m.exec(procFile("/proc/meminfo"))?.[1] ?? "1");
const pad = (n: number): string => String(Math.floor(n)).padStart(2, "0");
const clock = (seconds: number): string => `${pad(seconds / 3600)}:${pad((seconds / 60) % 60)}:${pad(seconds % 60)}`;

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
  return `${p.state}${p.nice < 0 ? "<" : p.nice > 0 ? "N" : ""}${p.session === p.pid ? "s" : ""}${p.threads > 1 ? "l" : ""}${p.foreground && p.tty !== "?" ? "+" : ""}`;
}

/** Names as the machine's own accounts have them: dockerd asks the host's ps. */
function userNames(backends: Pick<ContainerBackends, "kernel" | "config">): Users {
  const names = new Map<number, string>([[0, "root"]]);
  const passwd = resolveHostPath(backends, "/etc/passwd");
  if (passwd !== undefined) {
    for (const line of readFileSync(passwd, "utf8").split("\n")) {
      const [name = "", , uid = ""] = line.split(":");
      if (name !== "" && uid !== "") names.set(Number(uid), name);
    }
  }
  return (uid) => names.get(uid) ?? String(uid);
}
