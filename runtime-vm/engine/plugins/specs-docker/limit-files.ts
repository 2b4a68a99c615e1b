import type { HostConfig } from "#api/containers.ts";
import { containerResources, type Controllers } from "./resources.ts";

interface Throttle {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

/** `linux.resources` as far as `docker update` reaches. */
interface Resources {
  readonly memory?: { readonly limit?: number; readonly reservation?: number; readonly swap?: number };
  readonly cpu?: { readonly period?: number; readonly quota?: number; readonly cpus?: string; readonly mems?: string };
  readonly pids?: { readonly limit: number };
  readonly unified?: Readonly<Record<string, string>>;
  readonly blockIO?: { readonly weight?: number } & Readonly<Record<string, readonly Throttle[] | number | undefined>>;
}

const periodDefault = 100_000;
const max = (value: number): string => (value < 0 ? "max" : String(value));

/**
 * What the limits of `host` are in the files of a cgroup v2 directory, as the runtime writes them when it makes a container.
 * In this order: swap before memory would be refused where the new memory limit is below what is in use.
 */
export function limitFiles(host: HostConfig, controllers: Controllers): ReadonlyMap<string, string> {
  const { memory = {}, cpu = {}, pids, blockIO = {}, unified = {} } = containerResources(host, controllers) as Resources;
  const files = new Map<string, string>();
  if (memory.limit !== undefined) files.set("memory.max", max(memory.limit));
  if (memory.reservation !== undefined) files.set("memory.low", max(memory.reservation));
  if (memory.swap !== undefined) files.set("memory.swap.max", max(memory.swap < 0 ? -1 : memory.swap - (memory.limit ?? 0)));
  for (const [file, text] of Object.entries(unified)) files.set(file, text);
  if (cpu.quota !== undefined || cpu.period !== undefined) files.set("cpu.max", `${max(cpu.quota ?? -1)} ${cpu.period ?? periodDefault}`);
  if (cpu.cpus !== undefined) files.set("cpuset.cpus", cpu.cpus);
  if (cpu.mems !== undefined) files.set("cpuset.mems", cpu.mems);
  if (pids !== undefined) files.set("pids.max", max(pids.limit));
  if (blockIO.weight !== undefined) files.set("io.weight", `default ${ioWeight(blockIO.weight)}`);
  return files;
}

/** Docker's 10 to 1000 on the kernel's scale of 1 to 10000, as runtimes do it. */
const ioWeight = (weight: number): number => 1 + Math.floor(((weight - 10) * 9_999) / 990);
