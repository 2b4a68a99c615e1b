import { EngineError } from "#base/errors.ts";
import { linkLimits } from "./limits.ts";

/** One datagram on a byte stream: u16be length, then the payload. */
export function frameDatagram(payload: Uint8Array): Buffer {
  if (payload.length > linkLimits.datagramBytesMax) throw new EngineError("invalidArgument", `a datagram of ${payload.length} bytes is too long`);
  const frame = Buffer.allocUnsafe(2 + payload.length);
  frame.writeUInt16BE(payload.length, 0);
  frame.set(payload, 2);
  return frame;
}

/** Cuts a byte stream back into datagrams, whatever the sizes of its chunks. */
export class DatagramReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): Buffer[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([this.#rest, chunk]);
    const datagrams: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= 2) {
      const end = at + 2 + bytes.readUInt16BE(at);
      if (end > bytes.length) break;
      datagrams.push(bytes.subarray(at + 2, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return datagrams;
  }
}
