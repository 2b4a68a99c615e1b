import { corrupt, parseNumber, type TarHeader } from "./tar-header.ts";

/** A stretch of a sparse file that is stored; the rest reads as zeros. */
export interface SparseExtent {
  readonly offset: number;
  readonly length: number;
}

export interface SparseMap {
  /** Size of the file as it is read. */
  readonly size: number;
  /** Absent: pax format 1.0, where the map stands in front of the data (`readSparseMap`). */
  readonly extents?: readonly SparseExtent[];
}

interface Source {
  readonly pax: readonly (readonly [string, string])[];
  /** The header and the map blocks after it, for GNU's old format. */
  readonly blocks: readonly Buffer[];
  readonly at: number;
}

/** The sparse map of an entry in any of GNU tar's four formats, as a part of the entry; empty for other files. */
export function sparseOf(header: TarHeader, source: Source): { sparse?: SparseMap } {
  if (header.type === "S") return { sparse: oldMap(source) };
  const get = (key: string): string | undefined => source.pax.findLast(([name]) => name === key)?.[1];
  const size = get("GNU.sparse.realsize") ?? get("GNU.sparse.size");
  if (size === undefined) return {};
  const map = get("GNU.sparse.map");
  if (get("GNU.sparse.major") === "1") return { sparse: { size: count(size, source.at) } };
  // Format 0.1 has one list, 0.0 repeats two keys; both are pairs in order.
  const numbers =
    map === undefined ? source.pax.filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes").map(([, value]) => value) : map.split(",");
  return { sparse: { size: count(size, source.at), extents: pairs(numbers, source.at) } };
}

/** Reads the map of pax format 1.0 from the file's stored bytes; the data starts at the returned block-aligned offset. */
export function readSparseMap(read: (offset: number, length: number) => Buffer, at: number): { extents: readonly SparseExtent[]; dataStart: number } {
  let text = "";
  for (let offset = 0; ; offset += 512) {
    const block = read(offset, 512);
    if (block.length < 512 || offset > 16 * 1024 * 1024) throw corrupt(at, "a sparse map");
    text += block.toString("latin1");
    const lines = text.split("\n");
    const entries = Number(lines[0]);
    if (lines.length > 1 && lines.length > 1 + 2 * entries) return { extents: pairs(lines.slice(1, 1 + 2 * entries), at), dataStart: offset + 512 };
  }
}

/** GNU's old format: 4 extents in the header, 21 in each block after it. */
function oldMap({ blocks, at }: Source): SparseMap {
  const extents: SparseExtent[] = [];
  blocks.forEach((block, index) => {
    const [from, many] = index === 0 ? [386, 4] : [0, 21];
    for (let i = 0; i < many; i++) {
      const field = block.subarray(from + i * 24, from + (i + 1) * 24);
      if (field[0] === 0) break;
      extents.push({ offset: parseNumber(field.subarray(0, 12), at), length: parseNumber(field.subarray(12), at) });
    }
  });
  return { size: parseNumber(blocks[0]!.subarray(483, 495), at), extents };
}

function pairs(numbers: readonly string[], at: number): SparseExtent[] {
  const extents: SparseExtent[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) extents.push({ offset: count(numbers[i]!, at), length: count(numbers[i + 1]!, at) });
  return extents;
}

function count(text: string, at: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw corrupt(at, `sparse map number ${JSON.stringify(text)}`);
  return value;
}
