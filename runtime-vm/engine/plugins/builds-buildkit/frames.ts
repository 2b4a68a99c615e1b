import type { Writable } from "node:stream";
import { EngineError } from "#base/errors.ts";

/** gRPC's messages on an HTTP/2 stream: one byte (compressed or not), four of length, then the message (grpc/doc/PROTOCOL-HTTP2.md). */
export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Resolves when the stream takes more, or is gone. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off("drain", settle).off("close", settle);
      resolve();
    };
    stream.once("drain", settle).once("close", settle);
    if (stream.destroyed) settle();
  });
}

const messageBytesMax = 64 * 1024 * 1024;

export async function* messagesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < 5) continue;
    let all = held.length === 1 ? chunk : Buffer.concat(held);
    while (all.length >= 5) {
      const length = all.readUInt32BE(1);
      if (length > messageBytesMax) throw new EngineError("exhausted", `a gRPC message of ${length} bytes; ${messageBytesMax} are accepted`);
      if (all[0] !== 0) throw new EngineError("invalidArgument", "a compressed gRPC message, which was not agreed on");
      if (all.length < 5 + length) break;
      yield all.subarray(5, 5 + length);
      all = all.subarray(5 + length);
    }
    held = all.length === 0 ? [] : [all];
    bytes = all.length;
  }
}
