import { PassThrough, type Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { type Compression, compressionOf, decompress, peek } from "#core/compression/compression.ts";

/** The plain body: what the header or the first bytes say is compressed is unpacked. */
export async function plain(body: Readable, encoding: string | undefined): Promise<Readable> {
  const compression = encoding === undefined || encoding === "identity" ? compressionOf(await peek(body)) : encodingOf(encoding);
  if (compression === "none") return body;
  const through = new PassThrough();
  decompress(compression, body, through).catch((error: unknown) => through.destroy(error instanceof Error ? error : new Error(String(error))));
  return through;
}

function encodingOf(encoding: string): Compression {
  if (encoding === "gzip" || encoding === "zstd") return encoding;
  throw new EngineError("invalidArgument", `unsupported Content-Encoding: ${encoding}`);
}
