import { createCipheriv, createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreCheck } from "#api/images.ts";
import { type Rig, openRig } from "../engine/rig.ts";
import { type MadeImage, makeImage, tarOf } from "../fixtures/image.ts";
import { daemonOf, textOf } from "../fixtures/processes.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";

/** 2 GB in the long run; in any case more than the engine may take in memory. */
const layers = process.env["SLIPWAY_TEST_LONG"] === "1" ? 16 : 2;
const layerBytes = 128_000_000;
const memoryKbMax = 200 * 1024;

const registryRoot = mkdtempSync("/var/tmp/slipway-large-");
let rig: Rig;
let registry: TestRegistry;

beforeAll(async () => {
  rig = await openRig("lg");
  registry = await startRegistry({ dir: registryRoot, port: 5061, netns: rig.netns });
  await registry.push("large", "1", await largeImage());
}, 900_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  rmSync(registryRoot, { recursive: true, force: true });
});

const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Its layers are made each time they are asked for, one at a time: all of them would not fit in memory. */
async function largeImage(): Promise<MadeImage> {
  const noise = (seed: number): Buffer => createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(layerBytes));
  const made: MadeImage["layers"][number][] = [];
  for (let seed = 0; seed < layers; seed += 1) {
    const head = Buffer.from((await tarOf([{ name: `noise${seed}`, data: noise(seed) }])).subarray(0, 512));
    const tar = (): Buffer => Buffer.concat([head, noise(seed), Buffer.alloc(1024)]);
    const gzip = (): Buffer => gzipSync(tar(), { level: 0 });
    const sums = { diffId: sha256(tar()), digest: sha256(gzip()) };
    made.push({
      ...sums,
      get tar() {
        return tar();
      },
      get gzip() {
        return gzip();
      },
    });
  }
  const { config, manifest } = await makeImage("large:1", []);
  const json = (document: Buffer, more: object): Buffer => Buffer.from(JSON.stringify({ ...(JSON.parse(document.toString()) as object), ...more }));
  const configured = json(config, { rootfs: { type: "layers", diff_ids: made.map(({ diffId }) => diffId) }, history: [] });
  const described = json(manifest, {
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(configured), size: configured.length },
    layers: made.map(({ digest, gzip }) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: gzip.length })),
  });
  return { reference: "large:1", config: configured, manifest: described, layers: made };
}

const kbOf = (pid: string, field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(textOf(`/proc/${pid}/status`))?.[1]);

test(
  "an image larger than the engine's memory is pulled, saved and loaded within it",
  async () => {
    const name = `${registry.address}/large:1`;
    const engine = daemonOf(rig.program.socket)!;
    const idle = kbOf(engine, "VmRSS");
    /** What the engine takes at its peak during `work`, beyond what it has at rest. */
    const peak = async (work: () => Promise<unknown>): Promise<number> => {
      // The mark of the highest use starts anew.
      writeFileSync(`/proc/${engine}/clear_refs`, "5");
      await work();
      return kbOf(engine, "VmHWM") - idle;
    };
    const pulled: string[] = [];
    const pull = async (): Promise<void> => {
      for await (const { error } of rig.client.lines<{ error?: string }>("POST", "/images/create", { query: { fromImage: name } }))
        if (error) pulled.push(error);
    };
    expect(await peak(pull)).toBeLessThan(memoryKbMax);
    expect(pulled).toEqual([]);
    const again = async (): Promise<void> => {
      const { body } = await rig.client.stream("GET", "/images/get", { query: { names: name } });
      for await (const { stream } of rig.client.lines<{ stream?: string }>("POST", "/images/load", { body })) if (stream) pulled.push(stream);
    };
    expect(await peak(again)).toBeLessThan(memoryKbMax);
    expect(pulled).toEqual([`Loaded image: ${name}\n`]);
    const { Problems, Checked } = await rig.client.json<StoreCheck>("GET", "/slipway/check");
    expect([Problems, Checked.Bytes > 2 * layers * layerBytes]).toEqual([[], true]);
  },
  layers * 60_000,
);
