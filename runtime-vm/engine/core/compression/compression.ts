import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { EngineError } from "#base/errors.ts";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

const chunkSize = 1024 * 1024;
const magic: readonly (readonly [Compression, Buffer])[] = [
  ["gzip", Buffer.from([0x1f, 0x8b, 0x08])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["bzip2", Buffer.from("BZh")],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];
const magicBytesMax = 6;

/** Told by the first bytes, whatever a name or media type says. */
export const compressionOf = (head: Buffer): Compression => magic.find(([, start]) => head.subarray(0, start.length).equals(start))?.[0] ?? "none";

/** Passes a stream on, plain. Rejects (invalidArgument) damaged bzip2 and xz, with zlib's error for the others. */
export async function decompress(compression: Compression, from: Readable, to: Writable, signal?: AbortSignal): Promise<void> {
  const opts = signal === undefined ? {} : { signal };
  switch (compression) {
    case "none":
      return await pipeline(from, to, opts);
    case "gzip":
      return await pipeline(from, createGunzip({ chunkSize }), to, opts);
    case "zstd":
      return await pipeline(from, createZstdDecompress({ chunkSize }), to, opts);
    case "bzip2":
    case "xz":
      return await throughProgram(compression, from, to, opts);
  }
}

/** Formats that Node does not read, and that are rare: the tool tree's busybox does. */
async function throughProgram(program: "bzip2" | "xz", from: Readable, to: Writable, opts: { signal?: AbortSignal }): Promise<void> {
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "ignore"], ...opts });
  const ended = once(child, "close") as Promise<[number | null]>;
  // It may be gone before it has read all: its exit code says why.
  const passed = Promise.all([pipeline(from, child.stdin).catch(() => {}), pipeline(child.stdout, to, { ...opts, end: false }), ended]);
  try {
    const [, , [code]] = await passed;
    if (code !== 0) throw new EngineError("invalidArgument", `the archive is no sound ${program} file`);
    to.end();
  } finally {
    child.kill();
  }
}

/** The stream's first bytes, as many as `compressionOf` wants, put back; fewer where there are no more. */
export function peek(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One listener for as long as it takes: each new one is told at once of what was too little before.
    const look = (): void => {
      const head = stream.read(magicBytesMax) as Buffer | null;
      if (head !== null) stream.unshift(head);
      if (head !== null || stream.readableEnded || stream.destroyed) settle(head ?? Buffer.alloc(0));
    };
    const none = (): void => settle(Buffer.alloc(0));
    const settle = (outcome: Buffer | Error): void => {
      stream.off("readable", look).off("end", none).off("error", settle).off("close", none);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    stream.on("readable", look).once("end", none).once("error", settle).once("close", none);
    look();
  });
}
