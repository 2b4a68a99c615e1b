import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { empty } from "../reference/happenings.ts";
import { type Recorded, prepareShapes, requests, shapes } from "../reference/shapes.ts";

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "..", "reference", "shapes-28.5.json"), "utf8")) as Record<string, Recorded>;

/** Lines of a shape that differ on purpose. */
const meant: readonly (readonly [line: RegExp, reason: string])[] = [
  [/^\.Containerd/, "there is no containerd"],
  [/^\.BuildTime string/, "this engine is run as its sources are"],
  [/^\.DriverStatus\[\]/, "how layers are mounted is told too"],
  [/ImageManifestDescriptor\.platform/, "told only where dockerd has it by its own cache"],
  [/^\[\]\.IPAM\.(Config|Options) (null|\[\]|\{\})$/, "dockerd's own answers differ from run to run"],
  [/^\.(blkio|cpu|precpu|memory|pids)_stats/, "of the kernel's controllers, compared inside a VM"],
];
const isMeant = (line: string): boolean => meant.some(([pattern]) => pattern.test(line));
const compared = ({ newest, older }: Recorded): unknown => ({
  newest: newest.filter((line) => !isMeant(line)),
  older: Object.fromEntries(
    Object.entries(older).map(([version, { more, fewer }]) => [
      version,
      { more: more.filter((line) => !isMeant(line)), fewer: fewer.filter((line) => !isMeant(line)) },
    ]),
  ),
});

let engine: Program;
let ours: Record<string, Recorded>;
beforeAll(async () => {
  engine = await startEngine({ isolate: `slipway-v${process.pid}` });
  const client = new EngineClient({ kind: "socket", path: engine.socket });
  while ((await client.json<unknown[]>("GET", "/images/json")).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  await prepareShapes(engine.socket);
  ours = await shapes(engine.socket);
});
afterAll(async () => {
  // A container that runs would outlive the engine.
  if (engine !== undefined) await empty(engine.socket);
  await engine?.[Symbol.asyncDispose]();
});

test.each(requests)("%s has the fields it has on dockerd 28.5, at every version", (path) => {
  expect(compared(ours[path] as Recorded)).toEqual(compared(recorded[path] as Recorded));
});
