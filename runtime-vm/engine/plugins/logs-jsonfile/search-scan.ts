import type { LogLevelName } from "#api/log-search.ts";
import type { LogSearch } from "#core/logs/memory.ts";
import { parseEntry, TimeReader, writeText, writeTimestamp, type Entry } from "./decode.ts";
import { EntryScanner } from "./filter.ts";
import { levelOf } from "./log-level.ts";
import type { Matcher } from "./search-matcher.ts";

/** A line that was found. */
export interface Found {
  readonly stream: "stdout" | "stderr";
  readonly time: string;
  readonly level: LogLevelName | undefined;
  readonly text: string;
}

export type Window = Pick<LogSearch, "stream" | "sinceNano" | "untilNano">;

/** Looks through blocks of whole lines: by bytes all lines must have, else by their texts together; each that may be it is then read by itself. */
export class BlockScanner {
  readonly #matcher: Matcher;
  readonly #window: Window;
  readonly #times = new TimeReader();
  readonly #texts = new EntryScanner({ stdout: true, stderr: true });
  readonly #entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  #text = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(matcher: Matcher, window: Window) {
    this.#matcher = matcher;
    this.#window = window;
  }

  /** In the block's order, `max` at most: backwards its last ones. */
  found(block: Buffer, max: number, backwards: boolean): Found[] {
    const found: Found[] = [];
    for (const [start, end] of backwards ? [...this.#candidates(block)].toReversed() : this.#candidates(block)) {
      const hit = this.#read(block, start, end);
      if (hit !== undefined && found.push(hit) >= max) break;
    }
    return found;
  }

  #candidates(block: Buffer): Iterable<readonly [number, number]> {
    const { literal, coarse } = this.#matcher;
    if (literal !== undefined) return withLiteral(block, literal);
    if (coarse !== undefined) return this.#inPieces(block, coarse);
    if (this.#window.stream === "stderr") return withLiteral(block, ofStderr);
    return everyLine(block);
  }

  *#inPieces(block: Buffer, coarse: RegExp): Generator<readonly [number, number]> {
    for (let from = 0; from < block.length; ) {
      const newline = block.indexOf(0x0a, Math.min(from + pieceBytes, block.length - 1));
      const to = newline < 0 ? block.length : newline + 1;
      for (const [start, end] of this.#withCoarse(block.subarray(from, to), coarse)) yield [from + start, from + end];
      from = to;
    }
  }

  *#withCoarse(block: Buffer, coarse: RegExp): Generator<readonly [number, number]> {
    const text = this.#texts.frames(block, { raw: true, timestamps: false }).toString("utf8");
    coarse.lastIndex = 0;
    if (!coarse.test(text)) return;
    // A line that was written in parts has no newline in its first ones.
    if (countLines(text) !== countLines(block)) {
      yield* everyLine(block);
      return;
    }
    const lines = everyLine(block);
    let end = -1;
    coarse.lastIndex = 0;
    for (let hit = coarse.exec(text); hit !== null; hit = coarse.exec(text)) {
      let line: readonly [number, number] | undefined;
      while (end < hit.index) {
        line = lines.next().value ?? undefined;
        end = text.indexOf("\n", end + 1);
        if (end < 0) end = text.length;
      }
      if (line !== undefined) yield line;
      if (end >= text.length) return;
      coarse.lastIndex = end + 1;
    }
  }

  #read(block: Buffer, start: number, end: number): Found | undefined {
    const entry = this.#entry;
    if (!parseEntry(block, start, end, entry)) return undefined;
    const { stream, sinceNano, untilNano } = this.#window;
    const name = entry.stream === 0 ? "stdout" : "stderr";
    if (stream !== undefined && stream !== name) return undefined;
    if (sinceNano !== undefined || untilNano !== undefined) {
      const nano = this.#times.nanos(block, entry);
      if ((sinceNano !== undefined && nano < sinceNano) || (untilNano !== undefined && nano > untilNano)) return undefined;
    }
    const text = this.#textOf(block, entry);
    if (!this.#matcher.accepts(text)) return undefined;
    return { stream: name, time: timeOf(block, entry), level: levelOf(text), text };
  }

  #textOf(block: Buffer, entry: Entry): string {
    const bytes = entry.textEnd - entry.textStart;
    if (this.#text.length < bytes) this.#text = Buffer.allocUnsafeSlow(bytes);
    const length = writeText(block, entry, this.#text, 0);
    return this.#text.toString("utf8", 0, this.#text[length - 1] === 0x0a ? length - 1 : length);
  }
}

/** Node gives an expression over to a slower engine that goes back too often in one text: this much text is too little for one that does not. */
const pieceBytes = 24 * 1024;

/** Fewer than the lines of the other stream, as a rule. */
const ofStderr = Buffer.from('"stderr"');

const timestamp = Buffer.alloc(32);
const timeOf = (block: Buffer, entry: Entry): string => timestamp.toString("latin1", 0, writeTimestamp(block, entry, timestamp, 0));

function* everyLine(block: Buffer): Generator<readonly [number, number], undefined> {
  for (let start = 0; start < block.length; ) {
    const newline = block.indexOf(0x0a, start);
    const end = newline < 0 ? block.length : newline;
    yield [start, end];
    start = end + 1;
  }
}

function* withLiteral(block: Buffer, literal: Buffer): Generator<readonly [number, number]> {
  for (let at = block.indexOf(literal); at >= 0; ) {
    const newline = block.indexOf(0x0a, at);
    const end = newline < 0 ? block.length : newline;
    yield [at === 0 ? 0 : block.lastIndexOf(0x0a, at) + 1, end];
    at = block.indexOf(literal, end);
  }
}

function countLines(text: string | Buffer): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
