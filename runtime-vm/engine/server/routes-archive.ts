import { createGunzip, createZstdDecompress } from "node:zlib";
import { Readable, type Transform, pipeline } from "node:stream";
import { EngineError } from "#base/errors.ts";
import type { PathStat } from "#core/containers/archive-path.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

type Archives = Pick<ContainerManager, "statPath" | "readArchive" | "writeArchive" | "export">;

/** `docker cp` and `docker export`. */
export const archiveRoutes = (containers: Archives): readonly Route[] => [
  route("HEAD", "/containers/{id...}/archive", async ({ params, query }) => ({
    status: 200,
    headers: statHeader(await containers.statPath(params.id, pathOf(query))),
  })),
  route("GET", "/containers/{id...}/archive", async ({ params, query, signal }) => {
    const { stat, tar } = await containers.readArchive(params.id, pathOf(query), signal);
    return { status: 200, headers: { "Content-Type": "application/x-tar", ...statHeader(stat) }, stream: tar };
  }),
  route("PUT", "/containers/{id...}/archive", async ({ params, query, headers, body }) => {
    await containers.writeArchive(params.id, pathOf(query), await plain(body, headers["content-encoding"]), {
      noOverwriteDirNonDir: query.bool("noOverwriteDirNonDir"),
      copyOwner: query.bool("copyUIDGID"),
    });
    return { status: 200 };
  }),
  route("GET", "/containers/{id...}/export", ({ params, signal }) => ({
    status: 200,
    headers: { "Content-Type": "application/octet-stream" },
    stream: containers.export(params.id, signal),
  })),
];

function pathOf(query: Query): string {
  const path = query.get("path");
  if (path === "") throw new EngineError("invalidArgument", "bad parameter: pathcannot be empty");
  return path;
}

const statHeader = (stat: PathStat): Record<string, string> => ({ "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") });

/** The plain tar: what the header or the first bytes say is compressed is unpacked. */
async function plain(body: Readable, encoding: string | undefined): Promise<Readable> {
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
  if (kind === undefined) return whole;
  if (kind.through === undefined)
    throw new EngineError("invalidArgument", `${kind.name} archives are not unpacked by this engine: send a plain, gzip or zstd tar`);
  return unpacked(whole, kind.through());
}

const kinds: readonly { readonly name: string; readonly magic: Buffer; readonly through?: () => Transform }[] = [
  { name: "gzip", magic: Buffer.from([0x1f, 0x8b, 0x08]), through: () => createGunzip() },
  { name: "zstd", magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), through: () => createZstdDecompress() },
  { name: "bzip2", magic: Buffer.from("BZh") },
  { name: "xz", magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
];
const magicBytesMax = 6;

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
const unpacked = (body: Readable, through: Transform): Readable => pipeline(body, through, () => {});
