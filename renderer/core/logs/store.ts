import { plain } from "./ansi.ts";
import { type LineOrigin, LogChunk, lineFlags } from "./chunk.ts";
import { type Needle, needleOf } from "./search.ts";

export interface LogLimits {
  readonly bytesMax: number;
  readonly linesMax: number;
}
export const logLimits: LogLimits = { bytesMax: 192 * 1024 * 1024, linesMax: 2_000_000 };

export interface LogRow extends LineOrigin {
  /** Number of the line since the view was opened or cleared; dropped lines count on. */
  readonly line: number;
  /** First visual row, counted from the oldest line kept. */
  readonly row: number;
  readonly rows: number;
  readonly text: string;
}

export interface LogTotals {
  readonly lines: number;
  readonly rows: number;
  /** Lines and rows dropped so far, so that a view can keep its place. */
  readonly droppedLines: number;
  readonly droppedRows: number;
  readonly matches: number;
  /** Memory the lines take. */
  readonly bytes: number;
}

/**
 * The lines of one log: bytes in chunks, an index, and the lines that match the current search, kept up to date as
 * lines arrive. Memory is bounded: the oldest chunk goes when a limit is passed. Everything is in visual rows, which
 * are lines while `columns` is 0, and wrapped rows otherwise.
 */
export class LogStore {
  readonly #limits: LogLimits;
  #chunks: LogChunk[] = [];
  #columns = 0;
  #nextLine = 0;
  #bytes = 0;
  #droppedRows = 0;
  #needle: Needle | undefined;
  /** Absolute numbers of the matching lines, ascending; those before `#matchesFrom` are dropped lines. */
  #matches: number[] = [];
  #matchesFrom = 0;

  constructor(limits: LogLimits = logLimits) {
    this.#limits = limits;
  }

  add(line: Uint8Array, origin: LineOrigin): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || !chunk.hasRoom(line.length)) {
      chunk = new LogChunk(this.#nextLine, this.#columns, line.length);
      this.#chunks.push(chunk);
      this.#bytes += chunk.bytes.length;
      this.#dropOldest();
    }
    chunk.add(line, origin);
    this.#nextLine += 1;
    if (this.#needle !== undefined && matchesLine(chunk, chunk.lineCount - 1, this.#needle)) this.#matches.push(this.#nextLine - 1);
  }

  get totals(): LogTotals {
    const first = this.#firstLine;
    return {
      lines: this.#nextLine - first,
      rows: this.#chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0),
      droppedLines: first,
      droppedRows: this.#droppedRows,
      matches: this.#matches.length - this.#matchesFrom,
      bytes: this.#bytes,
    };
  }

  get #firstLine(): number {
    return this.#chunks[0]?.firstLine ?? this.#nextLine;
  }

  /** Characters a row; 0 switches wrapping off. */
  wrap(columns: number): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    for (const chunk of this.#chunks) chunk.wrap(columns);
  }

  /** The lines that show in visual rows [from, from + count). */
  rows(from: number, count: number): LogRow[] {
    const found: LogRow[] = [];
    let before = 0;
    for (const chunk of this.#chunks) {
      if (before >= from + count) break;
      if (before + chunk.rowCount > from) this.#rowsOf(chunk, before, from, from + count, found);
      before += chunk.rowCount;
    }
    return found;
  }

  #rowsOf(chunk: LogChunk, before: number, from: number, to: number, found: LogRow[]): void {
    for (let index = chunk.lineAtRow(Math.max(0, from - before)); index < chunk.lineCount; index += 1) {
      const row = before + chunk.rowStartOf(index);
      if (row >= to) return;
      const next = index + 1 < chunk.lineCount ? chunk.rowStartOf(index + 1) : chunk.rowCount;
      found.push({
        line: chunk.firstLine + index,
        row,
        rows: before + next - row,
        time: chunk.timeOf(index),
        stderr: (chunk.flagsOf(index) & lineFlags.stderr) !== 0,
        source: chunk.sourceOf(index),
        text: chunk.textOf(index),
      });
    }
  }

  /** Sets what is searched for; the empty text ends the search. Returns the number of matching lines. */
  search(query: string): number {
    this.#needle = needleOf(query);
    this.#matches = [];
    this.#matchesFrom = 0;
    if (this.#needle === undefined) return 0;
    for (const chunk of this.#chunks) searchChunk(chunk, this.#needle, this.#matches);
    return this.#matches.length;
  }

  /** The matching line after (or before) `line`, going round at the end; its place among all matches from 1. */
  match(line: number, direction: 1 | -1): { line: number; row: number; index: number } | undefined {
    const total = this.#matches.length - this.#matchesFrom;
    if (total === 0) return undefined;
    let low = this.#matchesFrom;
    let high = this.#matches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const value = this.#matches[middle] ?? 0;
      if (direction === 1 ? value <= line : value < line) low = middle + 1;
      else high = middle;
    }
    const at = direction === 1 ? low : low - 1;
    const index = (((at - this.#matchesFrom) % total) + total) % total;
    const found = this.#matches[this.#matchesFrom + index] ?? 0;
    return { line: found, row: this.#rowOfLine(found), index: index + 1 };
  }

  #rowOfLine(line: number): number {
    let before = 0;
    for (const chunk of this.#chunks) {
      if (line < chunk.firstLine + chunk.lineCount) return before + chunk.rowStartOf(Math.max(0, line - chunk.firstLine));
      before += chunk.rowCount;
    }
    return before;
  }

  /** The newest lines as plain text, at most about `bytesMax` bytes; with `names`, each after that of its source. */
  text(bytesMax: number, names: readonly string[] = []): string {
    const parts: string[] = [];
    let left = bytesMax;
    for (const chunk of this.#chunks.toReversed()) {
      if (left <= 0) break;
      const from = Math.max(0, chunk.used - left);
      const start = from === 0 ? 0 : chunk.bytes.indexOf(10, from) + 1 || chunk.used;
      const text = plain(new TextDecoder().decode(chunk.bytes.subarray(start, chunk.used)));
      parts.push(names.length === 0 ? text : named(text, chunk, start, names));
      left -= chunk.used - start;
    }
    return parts.reverse().join("");
  }

  clear(): void {
    this.#droppedRows += this.totals.rows;
    this.#chunks = [];
    this.#bytes = 0;
    this.#matches = [];
    this.#matchesFrom = 0;
  }

  #dropOldest(): void {
    while (this.#chunks.length > 1 && (this.#bytes > this.#limits.bytesMax || this.#nextLine - this.#firstLine >= this.#limits.linesMax)) {
      const gone = this.#chunks.shift();
      this.#bytes -= gone?.bytes.length ?? 0;
      this.#droppedRows += gone?.rowCount ?? 0;
      const first = this.#firstLine;
      while ((this.#matches[this.#matchesFrom] ?? first) < first) this.#matchesFrom += 1;
    }
  }
}

function named(text: string, chunk: LogChunk, start: number, names: readonly string[]): string {
  const first = start >= chunk.used ? chunk.lineCount : chunk.lineAt(start);
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, index) => `${names[chunk.sourceOf(first + index)] ?? ""} | ${line}\n`).join("");
}

/** A line with control sequences is searched as it is seen, any other by its bytes. */
function matchesLine(chunk: LogChunk, index: number, needle: Needle): boolean {
  if ((chunk.flagsOf(index) & lineFlags.escapes) === 0) return needle.find(chunk.bytes, chunk.startOf(index), chunk.endOf(index)) >= 0;
  return plain(chunk.textOf(index)).toLowerCase().includes(needle.query.toLowerCase());
}

function searchChunk(chunk: LogChunk, needle: Needle, matches: number[]): void {
  if (chunk.escapes) {
    for (let index = 0; index < chunk.lineCount; index += 1) if (matchesLine(chunk, index, needle)) matches.push(chunk.firstLine + index);
    return;
  }
  let from = 0;
  for (;;) {
    const at = needle.find(chunk.bytes, from, chunk.used);
    if (at < 0) return;
    const index = chunk.lineAt(at);
    matches.push(chunk.firstLine + index);
    from = chunk.endOf(index) + 1;
  }
}
