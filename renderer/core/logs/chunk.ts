import { plain } from "./ansi.ts";

/** What is known of a line beside its bytes. */
export const lineFlags = { stderr: 1, escapes: 2, wide: 4 } as const;

/** Where a line comes from. */
export interface LineOrigin {
  /** Epoch milliseconds; 0: unknown. */
  readonly time: number;
  readonly stderr: boolean;
  /** Number of the container, of a log that merges several; 0 otherwise. */
  readonly source: number;
}

const chunkBytes = 1024 * 1024;
const chunkLinesMax = 64 * 1024;
const tabColumns = 4;
const decoder = new TextDecoder();
// East Asian wide characters and emoji take two columns of a monospaced font.
const wideCharacter = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/**
 * One megabyte of whole lines, each ended by a newline byte, with an index beside it. A line never straddles chunks,
 * so that a search runs over one array and dropping the oldest lines drops one chunk.
 */
export class LogChunk {
  readonly firstLine: number;
  readonly bytes: Uint8Array;
  used = 0;
  lineCount = 0;
  /** Some line has control sequences: its bytes are not what is seen. */
  escapes = false;
  #starts = new Uint32Array(1024);
  #times = new Float64Array(1024);
  #widths = new Uint32Array(1024);
  #flags = new Uint8Array(1024);
  #sources = new Uint16Array(1024);
  /** Wrapped rows before each line, for `#columns`. */
  #rowStarts = new Uint32Array(1024);
  rowCount = 0;
  #columns: number;

  constructor(firstLine: number, columns: number, lineBytes: number) {
    this.firstLine = firstLine;
    this.#columns = columns;
    this.bytes = new Uint8Array(Math.max(chunkBytes, lineBytes + 1));
  }

  hasRoom(lineBytes: number): boolean {
    return this.used + lineBytes + 1 <= this.bytes.length && this.lineCount < chunkLinesMax;
  }

  add(line: Uint8Array, { time, stderr, source }: LineOrigin): void {
    const index = this.lineCount;
    if (index === this.#starts.length) this.#grow();
    const { flags, width } = measure(line);
    if ((flags & lineFlags.escapes) !== 0) this.escapes = true;
    this.#starts[index] = this.used;
    this.#times[index] = time;
    this.#flags[index] = flags | (stderr ? lineFlags.stderr : 0);
    this.#widths[index] = width;
    this.#sources[index] = source;
    this.#rowStarts[index] = this.rowCount;
    this.rowCount += rowsFor(width, this.#columns);
    this.bytes.set(line, this.used);
    this.used += line.length;
    this.bytes[this.used] = 10;
    this.used += 1;
    this.lineCount = index + 1;
  }

  startOf = (index: number): number => this.#starts[index] ?? this.used;
  /** Where the line's text ends, before its newline. */
  endOf = (index: number): number => (index + 1 < this.lineCount ? (this.#starts[index + 1] ?? this.used) : this.used) - 1;
  timeOf = (index: number): number => this.#times[index] ?? 0;
  sourceOf = (index: number): number => this.#sources[index] ?? 0;
  flagsOf = (index: number): number => this.#flags[index] ?? 0;
  rowStartOf = (index: number): number => this.#rowStarts[index] ?? this.rowCount;
  textOf = (index: number): string => decoder.decode(this.bytes.subarray(this.startOf(index), this.endOf(index)));

  /** The line that holds the byte at `offset`. */
  lineAt(offset: number): number {
    return lastAtMost(this.#starts, this.lineCount, offset);
  }

  lineAtRow(row: number): number {
    return lastAtMost(this.#rowStarts, this.lineCount, row);
  }

  /** Counts rows anew for `columns` characters a row; 0: one row a line. */
  wrap(columns: number): void {
    this.#columns = columns;
    let rows = 0;
    for (let index = 0; index < this.lineCount; index += 1) {
      this.#rowStarts[index] = rows;
      rows += rowsFor(this.#widths[index] ?? 0, columns);
    }
    this.rowCount = rows;
  }

  #grow(): void {
    const length = this.#starts.length * 2;
    const grown = <T extends Uint32Array | Float64Array | Uint8Array | Uint16Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#starts = grown(this.#starts, new Uint32Array(length));
    this.#times = grown(this.#times, new Float64Array(length));
    this.#widths = grown(this.#widths, new Uint32Array(length));
    this.#sources = grown(this.#sources, new Uint16Array(length));
    this.#flags = grown(this.#flags, new Uint8Array(length));
    this.#rowStarts = grown(this.#rowStarts, new Uint32Array(length));
  }
}

const rowsFor = (width: number, columns: number): number => (columns === 0 || width <= columns ? 1 : Math.ceil(width / columns));

/** Index of the last of the first `length` sorted values that is at most `value`. */
function lastAtMost(sorted: Uint32Array, length: number, value: number): number {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Columns a line takes; the plain ASCII case never decodes. */
function measure(line: Uint8Array): { flags: number; width: number } {
  let flags = 0;
  let width = 0;
  for (let i = 0; i < line.length; i += 1) {
    const byte = line[i] ?? 0;
    if (byte === 9) width += tabColumns - (width % tabColumns);
    else width += 1;
    if (byte < 32 && byte !== 9) flags |= lineFlags.escapes;
    else if (byte >= 128) flags |= lineFlags.wide;
  }
  return flags === 0 ? { flags, width } : { flags, width: columnsOf(plain(decoder.decode(line))) };
}

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character === "\t") columns += tabColumns - (columns % tabColumns);
    else columns += wideCharacter.test(character) ? 2 : 1;
  }
  return columns;
}
