import { delay } from "#base/deadline.ts";
import type { HostConfig } from "#api/containers.ts";
import type { EngineClient } from "#client/client.ts";

export interface StatsCase {
  readonly name: string;
  readonly host: HostConfig;
  readonly stopped?: boolean;
  /** As with limits. */
  readonly always?: true;
}

const limits = { Memory: 64 * 2 ** 20, PidsLimit: 30, NanoCpus: 15e8 };
export const statsCases: readonly StatsCase[] = [
  { name: "with limits", always: true, host: limits },
  { name: "without limits, in the machine's network", host: { NetworkMode: "host" } },
  { name: "without a network", host: { NetworkMode: "none" } },
  { name: "stopped", always: true, host: limits, stopped: true },
];

/** What an engine says of a container that has done its work and is paused. */
export interface StatsAnswer {
  /** `PATH TYPE` of every value: of a single reading, of a pair, and of a stream's first two documents. */
  readonly shapes: Readonly<Record<"oneShot" | "pair" | "first" | "second", readonly string[]>>;
  /** Figures that are not the kernel's own, with what the kernel says. None is right. */
  readonly wrong: readonly string[];
  /** The same for every engine that runs the same work. */
  readonly figures: Readonly<Record<string, number>>;
}

type Json = Readonly<Record<string, unknown>>;
/** Runs a script that sees the guest, not a container: answers what it wrote. */
export type OnMachine = (script: string) => Promise<string>;

const written = 4 * 2 ** 20;
// Kept in memory: a page the program wrote, pages of the file it read. On the disk: what it wrote.
const work = `dd if=/dev/zero of=/file bs=64k count=${written / 65_536} conv=fsync 2> /dev/null; cat /file > /dev/null; sleep 1000 & sleep 1000 & touch /done; wait`;

export async function askStats(client: EngineClient, onMachine: OnMachine, { name, host, stopped }: StatsCase): Promise<StatsAnswer> {
  const container = `stats-${name.replaceAll(/\W+/g, "-")}`;
  await client.json("POST", "/containers/create", { query: { name: container }, json: { Image: "busybox:latest", Cmd: ["sh", "-c", work], HostConfig: host } });
  try {
    await client.call("POST", `/containers/${container}/start`);
    const { State } = await client.json<{ State: { Pid: number } }>("GET", `/containers/${container}/json`);
    for (let tries = 0; (await onMachine(`[ ! -e /proc/${State.Pid}/root/done ] || echo done`)) !== "done"; tries += 1) {
      if (tries > 240) throw new Error(`${name}: the work is never done`);
      await delay(500);
    }
    await client.call("POST", `/containers/${container}/${stopped === true ? "kill" : "pause"}`);
    if (stopped === true) await client.call("POST", `/containers/${container}/wait`);
    return await observe(client, container, () => (stopped === true ? Promise.resolve(undefined) : kernelsFigures(onMachine, State.Pid)));
  } finally {
    if (stopped !== true) await client.call("POST", `/containers/${container}/unpause`).catch(() => undefined);
    await client.call("DELETE", `/containers/${container}`, { query: { force: true } });
  }
}

async function observe(client: EngineClient, container: string, kernel: () => Promise<Figures | undefined>): Promise<StatsAnswer> {
  const ask = (query: Readonly<Record<string, boolean>>): Promise<Json> => client.json<Json>("GET", `/containers/${container}/stats`, { query });
  const before = await kernel();
  const oneShot = await ask({ stream: false, "one-shot": true });
  const pair = await ask({ stream: false });
  const [first = {}, second = {}] = await streamed(client, container);
  const after = await kernel();
  const wrong = before === undefined || after === undefined ? [] : [oneShot, pair, second].flatMap((stats) => contradictions(figuresOf(stats), before, after));
  const shapes = { oneShot: shapeOf(oneShot), pair: shapeOf(pair), first: shapeOf(first), second: shapeOf(second) };
  return { shapes, wrong: [...new Set(wrong)], figures: before === undefined ? {} : comparable(figuresOf(pair)) };
}

async function streamed(client: EngineClient, container: string): Promise<Json[]> {
  const seen: Json[] = [];
  for await (const stats of client.lines<Json>("GET", `/containers/${container}/stats`)) if (seen.push(stats) === 2) break;
  return seen;
}

type Figures = ReadonlyMap<string, number>;

/**
 * Every number of an answer by its path; block devices and interfaces by their names. What tells a moment is left out, and
 * which pages of a shared program are mapped: the look at the machine maps them, too.
 */
function figuresOf(stats: Json): Figures {
  const found = new Map<string, number>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "number") found.set(path, value);
    else if (Array.isArray(value))
      for (const entry of value as { major: number; minor: number; op: string }[]) walk(entry, `${path}.${entry.major}:${entry.minor}.${entry.op}`);
    else if (typeof value === "object" && value !== null) for (const [key, item] of Object.entries(value)) walk(item, path === "" ? key : `${path}.${key}`);
  };
  walk(stats, "");
  for (const path of found.keys()) if (/^precpu_stats|system_cpu_usage|\.(major|minor)$|num_procs|file_mapped/.test(path)) found.delete(path);
  return found;
}

/** A figure must lie between what the kernel says before and after it was asked for. */
function contradictions(said: Figures, before: Figures, after: Figures): string[] {
  return [...said].flatMap(([path, value]) => {
    // Counters that newer kernels count apart are zero then, as in dockerd's list of them.
    const missing = path.startsWith("memory_stats.stats.") ? 0 : undefined;
    const [from = missing, to = missing] = [before.get(path), after.get(path)];
    if (from === undefined || to === undefined) return [`${path} is nothing the kernel says`];
    return value >= Math.min(from, to) && value <= Math.max(from, to) ? [] : [`${path} is ${value}: the kernel says ${from}, then ${to}`];
  });
}

const unlimited = 2 ** 64;

/** The same paths out of the kernel's files. */
async function kernelsFigures(onMachine: OnMachine, pid: number): Promise<Figures> {
  const files = ["cpu.stat", "memory.stat", "io.stat", "memory.current", "memory.max", "pids.current", "pids.max"];
  const text = await onMachine(`cd /sys/fs/cgroup$(cut -d: -f3 /proc/${pid}/cgroup)
for f in ${files.join(" ")}; do while read -r line; do echo "$f $line"; done < $f; done
sed 's/^/meminfo /' /proc/meminfo; sed 's/^/net /; s/:/ /' /proc/${pid}/net/dev; grep -c ^cpu[0-9] /proc/stat | sed 's/^/cpus /'`);
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  const of = (file: string): string[][] => rows.filter(([name]) => name === file).map(([, ...rest]) => rest);
  const number = (word: string | undefined): number => (word === "max" ? unlimited : Number(word));
  const only = (file: string): number => number(of(file)[0]?.[0]);
  const flat = (file: string): ReadonlyMap<string, number> => new Map(of(file).map(([key = "", value]) => [key, number(value)]));
  const found = new Map<string, number>([
    ["memory_stats.usage", only("memory.current")],
    ["memory_stats.limit", Math.min(only("memory.max"), (flat("meminfo").get("MemTotal:") ?? 0) * 1024)],
    ["pids_stats.current", only("pids.current")],
    ["pids_stats.limit", only("pids.max")],
    ["cpu_stats.online_cpus", only("cpus")],
  ]);
  for (const [key, value] of flat("memory.stat")) found.set(`memory_stats.stats.${key}`, value);
  const cpu = flat("cpu.stat");
  for (const [field, key] of Object.entries({ total_usage: "usage_usec", usage_in_kernelmode: "system_usec", usage_in_usermode: "user_usec" }))
    found.set(`cpu_stats.cpu_usage.${field}`, (cpu.get(key) ?? 0) * 1000);
  for (const [field, key] of Object.entries({ periods: "nr_periods", throttled_periods: "nr_throttled" }))
    found.set(`cpu_stats.throttling_data.${field}`, cpu.get(key) ?? 0);
  found.set("cpu_stats.throttling_data.throttled_time", (cpu.get("throttled_usec") ?? 0) * 1000);
  for (const [device = "", ...fields] of of("io.stat")) {
    const values = new Map(fields.map((field) => field.split("=") as [string, string]));
    for (const op of ["read", "write"]) found.set(`blkio_stats.io_service_bytes_recursive.${device}.${op}.value`, Number(values.get(`${op[0]}bytes`) ?? 0));
  }
  const columns = ["rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "", "", "", "", "tx_bytes", "tx_packets", "tx_errors", "tx_dropped"];
  for (const [device = "", ...values] of of("net")) columns.forEach((column, at) => found.set(`networks.${device}.${column}`, Number(values[at])));
  return found;
}

/** What does not depend on how fast it went. */
function comparable(figures: Figures): Record<string, number> {
  const io = [...figures].filter(([path]) => path.endsWith(".write.value")).reduce((sum, [, value]) => sum + value, 0);
  const kept = ["pids_stats.current", "pids_stats.limit", "cpu_stats.online_cpus"];
  const found = Object.fromEntries(kept.flatMap((path) => (figures.has(path) ? [[path, figures.get(path) ?? 0] as const] : [])));
  return { ...found, "whole times the file was written": Math.floor(io / written) };
}

function shapeOf(value: Json): string[] {
  const lines = new Set<string>();
  const walk = (item: unknown, path: string): void => {
    if (Array.isArray(item)) for (const entry of item) walk(entry, `${path}[]`);
    else if (typeof item === "object" && item !== null) for (const [key, inner] of Object.entries(item)) walk(inner, `${path}.${key}`);
    else lines.add(`${path} ${item === null ? "null" : typeof item}`);
  };
  walk(value, "");
  return [...lines].toSorted();
}
