import type { LogChunk, LogStream } from "#core/logs/logs.ts";
import { LineCodec, sourceBytesMax } from "./line-codec.ts";
import { parseEntry, TimeReader, writeText, writeTimestamp, type Entry } from "./decode.ts";

/** The shortest entry there can be. */
const entryBytesMin = 60;

/** Made for the first who reads. */
let codec: LineCodec | undefined;

/** Which entries of a log are wanted. */
export interface EntryFilter {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly sinceNano?: bigint;
  readonly untilNano?: bigint;
}

/** Goes through blocks of whole lines and hands out the wanted entries. One a reader: it remembers when `until` has passed. */
export class EntryScanner {
  readonly #filter: EntryFilter;
  readonly #times = new TimeReader();
  readonly #entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  #since: bigint | undefined;
  #out = Buffer.alloc(0);
  /** No later entry is wanted. */
  over = false;

  constructor(filter: EntryFilter) {
    this.#filter = filter;
    this.#since = filter.sinceNano;
  }

  /** stdcopy frames, or bare lines, each with `details` before its text; good until the next call. Without them never longer than the block. */
  frames(block: Buffer, dress: { raw: boolean; timestamps: boolean; details?: Buffer }): Buffer {
    const { details } = dress;
    if (!details && this.#filter.untilNano === undefined && block.length <= sourceBytesMax) return this.#simpleFrames(block, dress);
    const out = this.#room(block.length + (details ? Math.ceil(block.length / entryBytesMin) * details.length : 0));
    let length = 0;
    this.#scan(block, (entry) => (length = writeFrame(block, entry, out, length, dress)));
    return out.subarray(0, length);
  }

  /** Most entries can be had quickly; those between them one by one. */
  #simpleFrames(block: Buffer, dress: { raw: boolean; timestamps: boolean }): Buffer {
    const { stdout, stderr } = this.#filter;
    codec ??= new LineCodec();
    codec.put(block);
    const out = this.#room(block.length);
    let length = 0;
    for (let start = 0; start < block.length; ) {
      const simple = this.#since === undefined ? codec.frame(start, { ...dress, stdout, stderr }) : undefined;
      if (simple) {
        length += simple.frames.copy(out, length);
        start = simple.next;
        // All of it, as a rule.
        if (start === block.length) break;
      }
      const newline = block.indexOf(0x0a, start);
      const end = newline < 0 ? block.length : newline + 1;
      this.#scan(block.subarray(start, end), (entry, line) => (length = writeFrame(line, entry, out, length, dress)));
      start = end;
    }
    return out.subarray(0, length);
  }

  /** In a flood, new memory for each block is a good part of what it costs. */
  #room(bytes: number): Buffer {
    if (this.#out.length < bytes) this.#out = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#out.length));
    return this.#out;
  }

  /** The bare text, whatever of one stream stands together in one piece. */
  runs(block: Buffer): { stream: LogStream; bytes: Buffer }[] {
    const out = Buffer.allocUnsafeSlow(block.length);
    const found: { stream: LogStream; bytes: Buffer }[] = [];
    let length = 0;
    let start = 0;
    let current: 0 | 1 = 0;
    const cut = (): void => {
      if (length > start) found.push({ stream: current === 0 ? "stdout" : "stderr", bytes: out.subarray(start, length) });
      start = length;
    };
    this.#scan(block, (entry) => {
      if (entry.stream !== current) cut();
      current = entry.stream;
      length = writeText(block, entry, out, length);
    });
    cut();
    return found;
  }

  chunks(block: Buffer): LogChunk[] {
    const found: LogChunk[] = [];
    this.#scan(block, (entry) => {
      const bytes = Buffer.allocUnsafe(entry.textEnd - entry.textStart);
      const length = writeText(block, entry, bytes, 0);
      found.push({ stream: entry.stream === 0 ? "stdout" : "stderr", timeNano: this.#times.nanos(block, entry), bytes: bytes.subarray(0, length) });
    });
    return found;
  }

  #scan(block: Buffer, wanted: (entry: Entry, block: Buffer) => void): void {
    const { stdout, stderr, untilNano } = this.#filter;
    const entry = this.#entry;
    for (let start = 0; start < block.length && !this.over; ) {
      const newline = block.indexOf(0x0a, start);
      const end = newline < 0 ? block.length : newline;
      // A line that is no entry was damaged on disk: the ones around it are still good.
      const good = parseEntry(block, start, end, entry);
      start = end + 1;
      if (!good) continue;
      if (this.#since !== undefined) {
        if (this.#times.nanos(block, entry) < this.#since) continue;
        // Times only grow: no need to look again.
        this.#since = undefined;
      }
      if (untilNano !== undefined && this.#times.nanos(block, entry) > untilNano) {
        this.over = true;
        return;
      }
      if (entry.stream === 0 ? stdout : stderr) wanted(entry, block);
    }
  }
}

/** Returns the place after it. */
function writeFrame(block: Buffer, entry: Entry, out: Buffer, into: number, dress: { raw: boolean; timestamps: boolean; details?: Buffer }): number {
  let to = dress.raw ? into : into + 8;
  if (dress.timestamps) {
    to = writeTimestamp(block, entry, out, to);
    out[to++] = 0x20;
  }
  if (dress.details) to += dress.details.copy(out, to);
  to = writeText(block, entry, out, to);
  if (dress.raw) return to;
  const size = to - into - 8;
  out[into] = entry.stream + 1;
  out[into + 1] = 0;
  out[into + 2] = 0;
  out[into + 3] = 0;
  out[into + 4] = size >>> 24;
  out[into + 5] = size >>> 16;
  out[into + 6] = size >>> 8;
  out[into + 7] = size;
  return to;
}
