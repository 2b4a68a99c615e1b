import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { PullProgress } from "#api/images.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { busyboxLayer, makeImage, manifestOf, sha256, type TestImage } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

/** What tests of pulls have in common. */
interface TargetRegistry {
  push(repository: string, bytes: Buffer, mediaType: string, tag?: string): Promise<{ digest: `sha256:${string}`; size: number }>;
}

export const signal: AbortSignal = new AbortController().signal;
export const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const pull = (store: TestStore, reference: string, opts: { platform?: string; auth?: RegistryAuth; signal?: AbortSignal } = {}) =>
  said(store.images.pull({ reference, signal, ...opts }));
export const statuses = (messages: readonly PullProgress[]) => messages.map(({ status, id }) => (id === undefined ? status! : `${id}: ${status!}`));
export const short = (blob: Buffer) => sha256(blob).slice(7, 19);
export const big = makeImage([busyboxLayer(), [{ name: "noise", body: randomBytes(6_000_000) }]]);

export async function pushImage(
  registry: TargetRegistry,
  repository: string,
  image: TestImage,
  tag?: string,
): Promise<{ digest: `sha256:${string}`; size: number }> {
  for (const { blob } of image.layers) await registry.push(repository, blob, "application/octet-stream");
  await registry.push(repository, image.config, "application/octet-stream");
  return await registry.push(repository, manifestOf(image), manifestType, tag);
}

/** Answers one path itself. */
export const serve =
  (path: string, body: Buffer, type: string) =>
  (request: IncomingMessage, response: ServerResponse): boolean => {
    if (!request.url!.includes(path)) return false;
    response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
    return true;
  };

/** Passes that many bytes of a blob and then breaks the connection, or never sends another byte. */
export const cutAfter =
  (bytes: number, how: "cut" | "stall" = "cut") =>
  (request: IncomingMessage, from: IncomingMessage, to: ServerResponse): void => {
    if (!request.url!.includes("/blobs/")) return void from.pipe(to);
    let passed = 0;
    from.on("data", (chunk: Buffer) => {
      if (passed >= bytes) return;
      passed += chunk.length;
      to.write(chunk);
      if (passed < bytes) return;
      from.destroy();
      if (how === "cut") setTimeout(() => to.destroy(), 20);
    });
    from.on("end", () => to.end());
    to.emit("pipe", from);
  };
