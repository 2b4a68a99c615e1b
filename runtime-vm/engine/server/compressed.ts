import { spawn } from "node:child_process";
import { once } from "node:events";
import { Duplex, Readable, pipeline } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { EngineError } from "#base/errors.ts";

/** The plain body: what the header or the first bytes say is compressed is unpacked. */
export async function plain(body: Readable, encoding: string | undefined): Promise<Readable> {
  switch (encoding) {
    case undefined:
    case "identity":
      break;
    case "gzip":
      return unpacked(body, createGunzip());
    case "zstd":
      return unpacked(body, createZstdDecompress());
    default:
      throw new EngineError("invalidArgument", `unsupported Content-Encoding: ${encoding}`);
  }
  const { head, whole } = await beginning(body);
  const kind = kinds.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
  return kind === undefined ? whole : unpacked(whole, kind.through());
}

const kinds: readonly { readonly magic: Buffer; readonly through: () => Duplex }[] = [
  { magic: Buffer.from([0x1f, 0x8b, 0x08]), through: () => createGunzip() },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), through: () => createZstdDecompress() },
  { magic: Buffer.from("BZh"), through: () => program("bzip2") },
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), through: () => program("xz") },
];
const magicBytesMax = 6;

/** Formats that Node does not read, and that are rare: programs of the tool tree do. */
function program(name: "bzip2" | "xz"): Duplex {
  const child = spawn(name, ["-dc"], { stdio: ["pipe", "pipe", "ignore"] });
  const closed = once(child, "close") as Promise<[number | null]>;
  closed.catch(() => undefined);
  const output = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* child.stdout as AsyncIterable<Buffer>;
      const [code] = await closed;
      if (code !== 0) throw new EngineError("invalidArgument", `the archive is no sound ${name} file`);
    } finally {
      child.kill();
    }
  };
  // It may be gone before it has read all: its exit code says why.
  child.stdin.on("error", () => undefined);
  return Duplex.from({ readable: Readable.from(output(), { objectMode: false }), writable: child.stdin });
}

/** Reads a body's first bytes, and gives it back with them. */
async function beginning(body: Readable): Promise<{ head: Buffer; whole: Readable }> {
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const seen: Buffer[] = [];
  for (let bytes = 0; bytes < magicBytesMax; ) {
    const { value, done } = (await chunks.next()) as IteratorResult<Buffer, undefined>;
    if (done === true || value === undefined) break;
    seen.push(value);
    bytes += value.length;
  }
  const rest = { [Symbol.asyncIterator]: () => chunks };
  const again = async function* (): AsyncGenerator<Buffer> {
    yield* seen;
    yield* rest;
  };
  return { head: Buffer.concat(seen), whole: Readable.from(again(), { objectMode: false }) };
}

/** An error of either end ends both; whoever reads sees it. */
const unpacked = (body: Readable, through: Duplex): Readable => pipeline(body, through, () => {});
