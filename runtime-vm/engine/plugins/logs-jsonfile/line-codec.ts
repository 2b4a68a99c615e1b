import { limits } from "#base/limits.ts";
import { encodeProgram } from "./encode-program.ts";
import { frameProgram } from "./frame-program.ts";
import { resultAt, unescapedAt } from "./program-parts.ts";
import { assemble } from "./wasm.ts";

/** Places in the memory. Vectors are read and written past the end of what is meant, by less than `slackBytes`. */
const slackBytes = 64;
const tailAt = 1024;
const tailBytesMax = 8 * 1024;
const sourceAt = tailAt + tailBytesMax + slackBytes;
export const sourceBytesMax = 512 * 1024;
const outAt = sourceAt + sourceBytesMax + slackBytes;
/** No entry is longer: six bytes for one, and what stands around it. */
const entryBytesMax = limits.logLineBytesMax * 6 + tailBytesMax + slackBytes;
const outBytesMax = sourceBytesMax + entryBytesMax;
const pages = Math.ceil((outAt + outBytesMax + slackBytes) / 65_536);

/** Types for what Node has and its typings have not. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  encode(from: number, end: number, to: number, stop: number, tail: number, tailBytes: number): number;
  frame(from: number, end: number, to: number, wanted: number, header: number, stamp: number): number;
}

export interface SimpleDress {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly raw: boolean;
  readonly timestamps: boolean;
}

const nothing = new Uint8Array(0);

/** The quick way between lines and entries, for the simple ones among them. One a thread: each call uses the same memory. */
export class LineCodec {
  readonly #exports: Exports;
  readonly #memory: Buffer;
  #end = sourceAt;

  constructor() {
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;
    this.#exports = new Instance(new Module(assemble([encodeProgram(), frameProgram()], pages))).exports;
    this.#memory = Buffer.from(this.#exports.memory.buffer);
    const unescaped = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const [letter, byte] of Object.entries({ n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, f: 0x0c })) unescaped[letter.charCodeAt(0)] = byte;
    this.#memory.set(unescaped, unescapedAt);
  }

  /** Where `put` wants its bytes: what is there already it need not copy. */
  get source(): Buffer {
    return this.#memory.subarray(sourceAt, sourceAt + sourceBytesMax);
  }

  /** What the next calls speak of, `sourceBytesMax` at most. */
  put(source: Uint8Array): void {
    if (source.buffer !== this.#memory.buffer || source.byteOffset !== sourceAt) this.#memory.set(source, sourceAt);
    this.#end = sourceAt + source.length;
  }

  /**
   * Entries for whole lines from `start` on; `tail` ends each, and is counted up as they are. `roomBytes`: no further entry is begun once there
   * are so many. `entries` is good until the next call. `next` is where it stopped: the line there is for somebody else if it was the first.
   */
  encode(start: number, tail: Uint8Array, roomBytes: number): { entries: Uint8Array; count: number; next: number } {
    if (tail.length > tailBytesMax) return { entries: nothing, count: 0, next: start };
    this.#memory.set(tail, tailAt);
    const stop = outAt + Math.max(0, Math.min(roomBytes, outBytesMax - entryBytesMax));
    const next = this.#exports.encode(sourceAt + start, this.#end, outAt, stop, tailAt, tail.length) - sourceAt;
    tail.set(this.#memory.subarray(tailAt, tailAt + tail.length));
    return { entries: this.#memory.subarray(outAt, this.#memory.readUInt32LE(resultAt)), count: this.#memory.readUInt32LE(resultAt + 4), next };
  }

  /** What a client is sent of the entries from `start` on, good until the next call, and where it stopped. */
  frame(start: number, dress: SimpleDress): { frames: Buffer; next: number } {
    const wanted = (dress.stdout ? 1 : 0) | (dress.stderr ? 2 : 0);
    const next = this.#exports.frame(sourceAt + start, this.#end, outAt, wanted, dress.raw ? 0 : 8, dress.timestamps ? 31 : 0) - sourceAt;
    return { frames: this.#memory.subarray(outAt, this.#memory.readUInt32LE(resultAt)), next };
  }
}
