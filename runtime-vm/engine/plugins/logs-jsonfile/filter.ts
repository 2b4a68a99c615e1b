import type { LogChunk, LogStream } from "#core/logs/logs.ts";
import { parseEntry, TimeReader, writeText, writeTimestamp, type Entry } from "./decode.ts";

/** The shortest entry there can be. */
const entryBytesMin = 60;

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
  /** No later entry is wanted. */
  over = false;

  constructor(filter: EntryFilter) {
    this.#filter = filter;
    this.#since = filter.sinceNano;
  }

  /** stdcopy frames, or bare lines, each with `details` before its text. Without them the result is never longer than the block. */
  frames(block: Buffer, dress: { raw: boolean; timestamps: boolean; details?: Buffer }): Buffer {
    const { details } = dress;
    const out = Buffer.allocUnsafeSlow(block.length + (details ? Math.ceil(block.length / entryBytesMin) * details.length : 0));
    let length = 0;
    this.#scan(block, (entry) => {
      const head = length;
      if (!dress.raw) length += 8;
      if (dress.timestamps) {
        length = writeTimestamp(block, entry, out, length);
        out[length++] = 0x20;
      }
      if (details) length += details.copy(out, length);
      length = writeText(block, entry, out, length);
      if (dress.raw) return;
      const size = length - head - 8;
      out[head] = entry.stream + 1;
      out[head + 1] = 0;
      out[head + 2] = 0;
      out[head + 3] = 0;
      out[head + 4] = size >>> 24;
      out[head + 5] = size >>> 16;
      out[head + 6] = size >>> 8;
      out[head + 7] = size;
    });
    return out.subarray(0, length);
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

  #scan(block: Buffer, wanted: (entry: Entry) => void): void {
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
      if (entry.stream === 0 ? stdout : stderr) wanted(entry);
    }
  }
}
