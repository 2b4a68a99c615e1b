import { readFileSync } from "node:fs";

export interface Range {
  readonly start: number;
  readonly bytes: number;
}

/** Less than this is not worth a call. */
const residentKbMin = 64;

/**
 * The parts of this process's address space that are nothing but a program's or library's file: text and constants, present, and
 * without a page that was ever written (relocated tables are read-only by now, but not the file's any more). Only files that some
 * mapping of theirs executes: nothing unloads those, so no range can come to mean something else before it is used.
 */
export function programRanges(smaps: string): readonly Range[] {
  const mappings = [...smaps.matchAll(header)].map((match, i, all) => ({
    perms: match[3] ?? "",
    file: match[4] ?? "",
    start: Number.parseInt(match[1] ?? "", 16),
    end: Number.parseInt(match[2] ?? "", 16),
    fields: smaps.slice(match.index, all[i + 1]?.index),
  }));
  const executed = new Set(mappings.filter(({ perms }) => perms === "r-xp").map(({ file }) => file));
  return mappings
    .filter(({ perms, file }) => (perms === "r-xp" || perms === "r--p") && file.startsWith("/") && executed.has(file))
    .filter(({ fields }) => kilobytes(fields, "Anonymous") === 0 && kilobytes(fields, "Rss") >= residentKbMin)
    .map(({ start, end }) => ({ start, bytes: end - start }));
}

/** As bytes first: Node 24.21 corrupts its heap when it reads a long /proc file with an encoding. */
export const ownProgramRanges = (): readonly Range[] => programRanges(readFileSync("/proc/self/smaps").toString("latin1"));

const header = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)$/gm;

const kilobytes = (fields: string, name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(fields)?.[1] ?? Number.NaN);
