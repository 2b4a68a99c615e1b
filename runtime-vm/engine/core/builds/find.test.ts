import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { imageDigest } from "./find.ts";
import type { BuildWork } from "./work.ts";

const amd64 = { os: "linux", architecture: "amd64" };

/** A build on an engine that has no image but that of another platform, if any, and whose registry fails so. */
function workOf(failure: EngineError, { other = false } = {}): BuildWork {
  const none = new EngineError("notFound", "no such image");
  const images = { resolve: (_: string, wanted?: string) => (other && wanted === undefined ? Promise.resolve({ id: "sha256:other" }) : Promise.reject(none)) };
  const registries = { open: () => ({ head: () => Promise.reject(failure) }) };
  const request = { pull: false, auth: () => Promise.resolve(undefined), signal: new AbortController().signal };
  return { backends: { images, registries }, request } as unknown as BuildWork;
}

const silence = new EngineError("unavailable", 'Head "https://far.example/v2/": dial tcp: lookup far.example: no such host', { cause: new Error("ENOTFOUND") });

test("a registry that does not answer is told of at once", async () => {
  await expect(imageDigest(workOf(silence), { reference: "far.example/x", platform: undefined })).rejects.toThrow(
    `failed to resolve source metadata for far.example/x:latest: failed to do request: ${silence.message}`,
  );
});

test("what is here of another platform is asked for all the same", async () => {
  await expect(imageDigest(workOf(silence, { other: true }), { reference: "far.example/x", platform: amd64 })).resolves.toBeUndefined();
});

test("a registry that refuses may still let the image be fetched", async () => {
  const refusal = new EngineError("unauthorized", "unauthorized: authentication required");
  await expect(imageDigest(workOf(refusal), { reference: "far.example/x", platform: amd64 })).resolves.toBeUndefined();
});
