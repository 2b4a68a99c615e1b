import { readFileSync } from "node:fs";
import { EngineError } from "#base/errors.ts";

/** What of an ELF file's dynamic section (System V gABI, chapter 5) tells which files it needs. Only 64 bit, little endian: both our architectures are. */
export interface ElfNeeds {
  readonly needed: readonly string[];
  /** The dynamic loader, absent in libraries and static programs. */
  readonly interpreter?: string;
}

const segment = { dynamic: 2, interpreter: 3, load: 1 } as const;
const tag = { needed: 1n, strings: 5n } as const;
const dynamicEntryBytes = 16;

/** Undefined for anything that is no ELF file, such as a script. */
export function readElfNeeds(path: string): ElfNeeds | undefined {
  const file = readFileSync(path);
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46) return undefined;
  if (file[4] !== 2 || file[5] !== 1) throw new EngineError("invalidArgument", `${path} is an ELF file of a class that no supported architecture has`);
  const segments = programHeaders(file);
  const interpreter = segments.find((s) => s.type === segment.interpreter);
  const dynamic = segments.find((s) => s.type === segment.dynamic);
  return {
    needed: dynamic ? neededOf(file, dynamic, segments) : [],
    ...(interpreter ? { interpreter: text(file, interpreter.offset) } : {}),
  };
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

function programHeaders(file: Buffer): readonly Segment[] {
  const table = Number(file.readBigUInt64LE(32));
  const entryBytes = file.readUInt16LE(54);
  return Array.from({ length: file.readUInt16LE(56) }, (_, i) => {
    const at = table + i * entryBytes;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: file.readBigUInt64LE(at + 16),
      size: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function neededOf(file: Buffer, dynamic: Segment, segments: readonly Segment[]): readonly string[] {
  const names: number[] = [];
  let strings: bigint | undefined;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += dynamicEntryBytes) {
    const kind = file.readBigUInt64LE(at);
    if (kind === tag.needed) names.push(Number(file.readBigUInt64LE(at + 8)));
    if (kind === tag.strings) strings = file.readBigUInt64LE(at + 8);
  }
  if (strings === undefined) return [];
  const table = fileOffset(strings, segments);
  return names.map((name) => text(file, table + name));
}

function fileOffset(address: bigint, segments: readonly Segment[]): number {
  const home = segments.find((s) => s.type === segment.load && address >= s.address && address < s.address + BigInt(s.size));
  if (!home) throw new EngineError("invalidArgument", "the string table of an ELF file lies in none of its segments");
  return home.offset + Number(address - home.address);
}

const text = (file: Buffer, at: number): string => file.toString("latin1", at, file.indexOf(0, at));
