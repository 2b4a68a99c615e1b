import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { daemonOf, linkOf, textOf } from "../fixtures/processes.ts";

export interface MemoryUse {
  /** Physical pages that its processes have mapped, each counted once: the sum of their PSS while nobody else maps the same files. */
  readonly bytes: number;
  /** Those of them that no file backs: the system can take them back only by swapping. */
  readonly anonymousBytes: number;
}

/**
 * Memory of an engine: the process that listens on its socket, all others in that one's mount namespace (shims, helpers, containerd;
 * containers have namespaces of their own), and ours' launcher outside. Other engines on the machine share program files with it, which
 * would make a sum of PSS smaller than what it costs alone, so pages are counted.
 */
export function memoryUse(socket: string): MemoryUse | undefined {
  const daemon = daemonOf(socket);
  if (daemon === undefined) return undefined;
  const pages = new Map<number, boolean>();
  for (const pid of processesOf(daemon)) addPages(pid, pages);
  const anonymous = [...pages.values()].filter((isFile) => !isFile).length;
  return { bytes: pages.size * pageBytes, anonymousBytes: anonymous * pageBytes };
}

/** Not of the engine, though in its namespace: test beds run an engine beside a registry, under a shell. */
const foreign = /docker-registry|^(?:bash|nohup|sleep) /;

function processesOf(daemon: string): string[] {
  const home = linkOf(`/proc/${daemon}/ns/mnt`);
  const inside = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && linkOf(`/proc/${pid}/ns/mnt`) === home && !foreign.test(commandOf(pid)));
  const parent = /^PPid:\s+(\d+)/m.exec(textOf(`/proc/${daemon}/status`))?.[1] ?? "";
  return commandOf(parent).includes("guest/native.sh") ? [...inside, parent] : inside;
}

const commandOf = (pid: string): string => textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ");

const pageBytes = 4096;
/** A page's entry in /proc/PID/pagemap: bit 63 present, 61 of a file or shared, 0-54 its frame. */
const entryBytes = 8;
const frames = 2 ** 32;

function addPages(pid: string, pages: Map<number, boolean>): void {
  try {
    const fd = openSync(`/proc/${pid}/pagemap`, "r");
    try {
      for (const { start, count } of residentRanges(readFileSync(`/proc/${pid}/smaps`).toString("latin1"))) addRange(fd, start, count, pages);
    } finally {
      closeSync(fd);
    }
  } catch {
    // It ended while we looked.
  }
}

function residentRanges(smaps: string): { start: number; count: number }[] {
  const mappings = [...smaps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) \S{4} [\s\S]*?^Rss: +(\d+) kB$/gm)];
  return mappings
    .filter(([, , , rss]) => rss !== "0")
    .map(([, from = "", to = ""]) => ({
      start: Number.parseInt(from, 16) / pageBytes,
      count: (Number.parseInt(to, 16) - Number.parseInt(from, 16)) / pageBytes,
    }))
    .filter(({ start }) => Number.isSafeInteger(start * entryBytes));
}

function addRange(fd: number, start: number, count: number, pages: Map<number, boolean>): void {
  const buffer = Buffer.alloc(64 * 1024);
  for (let at = 0; at < count; ) {
    const bytes = readSync(fd, buffer, 0, Math.min(buffer.length, (count - at) * entryBytes), (start + at) * entryBytes);
    if (bytes === 0) return;
    for (let i = 0; i < bytes; i += entryBytes) {
      const high = buffer.readUInt32LE(i + 4);
      if (high < 0x8000_0000) continue;
      pages.set((high & 0x7f_ffff) * frames + buffer.readUInt32LE(i), (high & 0x2000_0000) !== 0);
    }
    at += bytes / entryBytes;
  }
}
