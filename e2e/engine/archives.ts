import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import type { EngineClient } from "#client/client.ts";
import { type ImageEntry, tarOf } from "../fixtures/image.ts";

/** A request's body of these bytes. */
export async function* once1(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
  await Promise.resolve();
}

/** Puts files into a container, as `docker cp` does. */
export async function putArchive(
  client: EngineClient,
  { id, path, entries, query }: { id: string; path: string; entries: readonly ImageEntry[]; query: Record<string, string | number> },
): Promise<void> {
  await client.call("PUT", `/containers/${id}/archive`, { query: { path, ...query }, body: once1(await tarOf(entries)) });
}

export interface Answered {
  readonly stat: Record<string, unknown>;
  readonly entries: string[];
}

/** Names, types and contents of what an archive answer holds. */
export async function getArchive(client: EngineClient, id: string, path: string): Promise<Answered> {
  const { headers, body } = await client.stream("GET", `/containers/${id}/archive`, { query: { path } });
  const stat = JSON.parse(Buffer.from(String(headers["x-docker-container-path-stat"]), "base64").toString()) as Record<string, unknown>;
  const entries: string[] = [];
  const unpack = extract();
  unpack.on("entry", (header, stream, next) => {
    void buffer(stream).then((data) => {
      entries.push([header.name, header.type, header.linkname ?? data.toString()].filter((part) => part !== "").join(" "));
      next();
    });
  });
  body.pipe(unpack);
  await once(unpack, "finish");
  return { stat, entries: entries.sort() };
}
