import { EngineError } from "#base/errors.ts";
import { sparseOf, type SparseMap } from "./tar-sparse.ts";
import { blockBytes, corrupt, isZeroBlock, paddedBytes, parseHeader, parsePax, type TarHeader } from "./tar-header.ts";

/** One file of a tar, its pax and GNU long-name headers applied. Strings are `latin1`: one character a byte. */
export interface TarEntry extends Omit<TarHeader, "prefix" | "name" | "linkName"> {
  readonly path: string;
  readonly linkPath: string;
  readonly mtimeNano: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** pax records as they came, without the extended attributes. */
  readonly pax: readonly (readonly [string, string])[];
  /** The header's own name field, before any pax or GNU name replaced it. */
  readonly headerName: string;
  readonly headerPrefix: string;
  /** Where the stored bytes start in the archive, and how many they are (0 for types without data, whatever the header says). */
  readonly dataOffset: number;
  readonly storedBytes: number;
  /** A sparse file: its size when read, and what of it is stored. */
  readonly sparse?: SparseMap;
}

/** A pax or long-name header longer than this is refused, as Go's archive/tar does. */
const metaBytesMax = 1024 * 1024;
const entriesMax = 4_000_000;
const withoutData = new Set(["1", "2", "3", "4", "5", "6"]);

export interface ScanEvents {
  entry(entry: TarEntry): void;
  /** Bytes of the last entry's data, in order. */
  data?(chunk: Buffer): void;
  /** A global pax header was met; like Docker, the scanner applies none of it. */
  globalPax?(keys: readonly string[]): void;
}

/**
 * Reads a tar as its bytes arrive. Rejects (invalidArgument) damaged headers; `end` rejects an archive that stops in the
 * middle of an entry. What follows the two closing zero blocks is ignored.
 */
export class TarScanner {
  readonly #events: ScanEvents;
  #state: "header" | "sparse" | "meta" | "data" | "over" = "header";
  #offset = 0;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #wanted = blockBytes;
  #skip = 0;
  #dataLeft = 0;
  #zeroBlocks = 0;
  #entries = 0;
  #header: TarHeader | undefined;
  #headerBlocks: Buffer[] = [];
  #longName: string | undefined;
  #longLink: string | undefined;
  #pax: [string, Buffer][] = [];

  constructor(events: ScanEvents) {
    this.#events = events;
  }

  /** How many of the coming bytes are an entry's data that nobody needs to see (a reader of a file may seek over them). */
  get skippable(): number {
    return this.#state === "data" ? this.#skip : 0;
  }

  /** Tells the scanner that its reader left out `bytes`, at most `skippable`. */
  skip(bytes: number): void {
    this.#offset += bytes;
    this.#skip -= bytes;
    this.#dataLeft = Math.max(0, this.#dataLeft - bytes);
    if (this.#skip === 0) this.#expect("header", blockBytes);
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== "over") {
      if (this.#state === "data") {
        const part = rest.subarray(0, Math.min(this.#skip, rest.length));
        if (this.#dataLeft > 0) this.#events.data?.(part.subarray(0, this.#dataLeft));
        this.skip(part.length);
        rest = rest.subarray(part.length);
      } else {
        rest = this.#gather(rest);
      }
    }
  }

  end(): void {
    if (this.#state === "over") return;
    if (this.#state === "header" && this.#gatheredBytes === 0 && this.#pax.length === 0 && this.#longName === undefined) return;
    throw new EngineError("invalidArgument", `tar: the archive ends at byte ${this.#offset}, in the middle of an entry; it is truncated`);
  }

  /** Collects the wanted bytes; without a copy when one chunk holds them all. Nothing of a chunk is kept: its memory is the caller's. */
  #gather(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#wanted - this.#gatheredBytes);
    this.#offset += part.length;
    if (this.#gatheredBytes === 0 && part.length === this.#wanted) {
      this.#take(part);
    } else {
      this.#gathered.push(Buffer.from(part));
      this.#gatheredBytes += part.length;
      if (this.#gatheredBytes === this.#wanted) {
        const whole = Buffer.concat(this.#gathered);
        this.#gathered = [];
        this.#gatheredBytes = 0;
        this.#take(whole);
      }
    }
    return chunk.subarray(part.length);
  }

  #take(bytes: Buffer): void {
    if (this.#state === "meta") this.#takeMeta(bytes);
    else if (this.#state === "sparse") this.#takeSparse(bytes);
    else this.#takeHeader(bytes);
  }

  #takeHeader(block: Buffer): void {
    const at = this.#offset - blockBytes;
    if (isZeroBlock(block)) {
      this.#zeroBlocks += 1;
      this.#expect(this.#zeroBlocks === 2 ? "over" : "header", blockBytes);
      return;
    }
    if (this.#zeroBlocks > 0) throw corrupt(at, "a header after a closing block");
    const header = parseHeader(block, at);
    this.#header = header;
    if ("xgLK".includes(header.type)) {
      if (header.size > metaBytesMax) throw corrupt(at, `a ${header.size}-byte extended header`);
      if (header.size === 0) this.#takeMeta(Buffer.alloc(0));
      else this.#expect("meta", paddedBytes(header.size));
    } else if (header.type === "S") {
      this.#headerBlocks = [Buffer.from(block)];
      if (block[482] === 0) this.#emit(header);
      else this.#expect("sparse", blockBytes);
    } else {
      this.#emit(header);
    }
  }

  #takeSparse(block: Buffer): void {
    this.#headerBlocks.push(Buffer.from(block));
    if (this.#headerBlocks.length * blockBytes > metaBytesMax) throw corrupt(this.#offset, "a sparse map");
    if (block[504] === 0) this.#emit(this.#header!);
    else this.#expect("sparse", blockBytes);
  }

  #takeMeta(padded: Buffer): void {
    const header = this.#header!;
    const body = Buffer.from(padded.subarray(0, header.size));
    const at = this.#offset - padded.length;
    if (header.type === "x") this.#pax = parsePax(body, at);
    else if (header.type === "g") this.#events.globalPax?.(parsePax(body, at).map(([key]) => key));
    else if (header.type === "L") this.#longName = untilNul(body);
    else this.#longLink = untilNul(body);
    this.#expect("header", blockBytes);
  }

  #emit(header: TarHeader): void {
    this.#entries += 1;
    if (this.#entries > entriesMax) throw new EngineError("exhausted", `tar: more than ${entriesMax} entries`);
    const entry = assemble(header, { pax: this.#pax, longName: this.#longName, longLink: this.#longLink, at: this.#offset, blocks: this.#headerBlocks });
    this.#pax = [];
    this.#longName = this.#longLink = undefined;
    this.#headerBlocks = [];
    this.#skip = paddedBytes(entry.storedBytes);
    this.#dataLeft = entry.storedBytes;
    if (this.#skip === 0) this.#expect("header", blockBytes);
    else this.#state = "data";
    this.#events.entry(entry);
  }

  #expect(state: "header" | "sparse" | "meta" | "over", bytes: number): void {
    this.#state = state;
    this.#wanted = bytes;
  }
}

interface Extensions {
  readonly pax: readonly [string, Buffer][];
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
  readonly at: number;
  readonly blocks: readonly Buffer[];
}

function assemble(header: TarHeader, { pax, longName, longLink, at, blocks }: Extensions): TarEntry {
  const last = new Map(pax);
  const get = (key: string): string | undefined => last.get(key)?.toString("latin1");
  // GNU's own format keeps times where ustar has the prefix.
  const prefix = header.format === "ustar" ? header.prefix : "";
  const path = get("GNU.sparse.name") ?? get("path") ?? longName ?? (prefix === "" ? header.name : `${prefix}/${header.name}`);
  const linkPath = get("linkpath") ?? longLink ?? header.linkName;
  if (path.includes("\0") || linkPath.includes("\0")) throw corrupt(at, "a name with a zero byte");
  const number = (key: string, fallback: number): number => {
    const value = get(key);
    if (value === undefined || value === "") return fallback;
    if (!/^-?\d+(\.\d*)?$/.test(value) || !Number.isSafeInteger(Math.trunc(Number(value)))) throw corrupt(at, `pax ${key}=${JSON.stringify(value)}`);
    return Math.trunc(Number(value));
  };
  const size = number("size", header.size);
  if (size < 0) throw corrupt(at, `size ${size}`);
  return {
    type: header.type,
    format: header.format,
    path,
    linkPath,
    headerName: header.name,
    headerPrefix: header.prefix,
    mode: header.mode,
    uid: number("uid", header.uid),
    gid: number("gid", header.gid),
    size,
    ...time(get("mtime"), header.mtime, number),
    devMajor: header.devMajor,
    devMinor: header.devMinor,
    xattrs: xattrsOf(pax),
    pax: pax.filter(([key]) => !key.startsWith("SCHILY.xattr.") && !key.startsWith("LIBARCHIVE.xattr.")).map(([key, value]) => [key, value.toString("latin1")]),
    dataOffset: at,
    storedBytes: withoutData.has(header.type) ? 0 : size,
    ...sparseOf(header, { pax: pax.map(([key, value]) => [key, value.toString("latin1")]), blocks, at }),
  };
}

function time(pax: string | undefined, fallback: number, number: (key: string, fallback: number) => number): { mtime: number; mtimeNano: number } {
  const seconds = number("mtime", fallback);
  const fraction = pax === undefined ? "" : (pax.split(".")[1] ?? "");
  const nano = Number(fraction.slice(0, 9).padEnd(9, "0"));
  // -1.5 is half a second before -1, which is second -2 and half a second.
  return pax?.startsWith("-") && nano > 0 ? { mtime: seconds - 1, mtimeNano: 1_000_000_000 - nano } : { mtime: seconds, mtimeNano: nano };
}

function xattrsOf(pax: readonly [string, Buffer][]): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [key, value] of pax) {
    if (key.startsWith("SCHILY.xattr.")) found.set(key.slice("SCHILY.xattr.".length), value);
    else if (key.startsWith("LIBARCHIVE.xattr.")) found.set(key.slice("LIBARCHIVE.xattr.".length), Buffer.from(value.toString("latin1"), "base64"));
  }
  return found;
}

function untilNul(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString("latin1", 0, end < 0 ? body.length : end);
}
