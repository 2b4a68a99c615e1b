/**
 * Docker's framing of several output streams over one connection (moby pkg/stdcopy): an 8-byte header, of which byte 0 is the
 * stream and bytes 4-7 the payload's length big-endian, then the payload. Used by attach, exec and logs without a terminal.
 */
export type FrameStream = "stdin" | "stdout" | "stderr" | "systemerr";

const numbers: Record<FrameStream, number> = { stdin: 0, stdout: 1, stderr: 2, systemerr: 3 };
const names: readonly FrameStream[] = ["stdin", "stdout", "stderr", "systemerr"];

/** Longest payload a reader accepts: more than any writer sends, so that a stream that is no stdcopy stream is found out early. */
export const frameBytesMax = 64 * 1024 * 1024;

export const frameHeaderBytes = 8;

/** The header that goes before a payload of `length` bytes. */
export function frameHeader(stream: FrameStream, length: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(frameHeaderBytes);
  header[0] = numbers[stream];
  new DataView(header.buffer).setUint32(4, length);
  return header;
}

/** One payload with its header, in one array. */
export function frame(stream: FrameStream, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(frameHeaderBytes + payload.length);
  framed.set(frameHeader(stream, payload.length));
  framed.set(payload, frameHeaderBytes);
  return framed;
}

export interface Frame {
  readonly stream: FrameStream;
  readonly payload: Uint8Array;
}

/** Cuts a byte stream into frames, however it was chunked. Throws when the bytes are no stdcopy stream. */
export class FrameReader {
  #pending: Uint8Array = new Uint8Array(0);

  /** The frames completed by `chunk`; payloads are views where they can be. */
  push(chunk: Uint8Array): Frame[] {
    let rest = this.#pending.length === 0 ? chunk : joined(this.#pending, chunk);
    const frames: Frame[] = [];
    while (rest.length >= frameHeaderBytes) {
      const { stream, length } = parseHeader(rest);
      if (rest.length < frameHeaderBytes + length) break;
      frames.push({ stream, payload: rest.subarray(frameHeaderBytes, frameHeaderBytes + length) });
      rest = rest.subarray(frameHeaderBytes + length);
    }
    this.#pending = rest;
    return frames;
  }

  /** Bytes of a frame that is not whole yet. */
  get pendingBytes(): number {
    return this.#pending.length;
  }
}

function parseHeader(bytes: Uint8Array): { stream: FrameStream; length: number } {
  const stream = names[bytes[0] ?? 255];
  const length = new DataView(bytes.buffer, bytes.byteOffset, frameHeaderBytes).getUint32(4);
  if (stream === undefined) throw new Error(`no stdcopy stream: the first byte of a frame is ${bytes[0]}`);
  if (length > frameBytesMax) throw new Error(`no stdcopy stream: a frame of ${length} bytes`);
  return { stream, length };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
