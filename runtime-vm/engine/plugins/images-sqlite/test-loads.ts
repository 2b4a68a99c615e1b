import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ImageSummary, PullProgress } from "#api/images.ts";
import type { TarFile } from "#core/layers/tar-writer.ts";
import { makeImage, type TestImage } from "./test-images.ts";
import { said, type TestStore } from "./test-store.ts";

const signal = new AbortController().signal;

/** No container uses any image. */
export const nobody = (): [] => [];

export const load = (store: TestStore, archive: Buffer): Promise<PullProgress[]> => said(store.images.load(Readable.from([archive]), { signal }));

export const list = async (store: TestStore, filters = {}): Promise<readonly ImageSummary[]> =>
  await store.images.list({ filters, manifests: false, sharedSize: false, users: nobody });

export const text = (name: string, body: string): TarFile => ({ name, body: Buffer.from(body) });

/** An image of one small file. */
export const small = (name = "a", opts: Parameters<typeof makeImage>[1] = {}): TestImage => makeImage([[text(name, name)]], opts);

export const blobs = (store: TestStore): string[] => readdirSync(join(store.root, "content/blobs/sha256"));
