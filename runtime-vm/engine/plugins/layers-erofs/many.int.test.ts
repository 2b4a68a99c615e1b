import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { packTar, tarEnd, tarHead, tarPadding } from "#core/layers/tar-writer.ts";
import { openTestLayers } from "./rig.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
const entries = long ? 1_000_000 : 20_000;
const inDirectory = 1_000;
/** As much as the names and headers of a million take, and no more. */
const memoryBytesMax = 1_500_000_000;
const signal = new AbortController().signal;

/** A tar of very many small files, made while it is read. */
function* manyFiles(): Generator<Buffer> {
  for (let i = 0; i < entries; i += inDirectory) {
    const parts = [tarHead({ name: `d${i}/`, type: "5", mode: 0o755 }, 0)];
    for (let k = i; k < i + inDirectory; k += 1) {
      const body = Buffer.from(`file ${k}`);
      parts.push(tarHead({ name: `d${i}/f${k}` }, body.length), body, tarPadding(body.length));
    }
    yield Buffer.concat(parts);
  }
  yield tarEnd();
}

test(
  `a layer of ${entries} files becomes a root, in bounded memory`,
  async () => {
    await using opened = await openTestLayers();
    const before = process.memoryUsage().rss;
    const { diffId } = await opened.layers.ingest(Readable.from(manyFiles()), { signal });
    expect(process.memoryUsage().rss - before).toBeLessThan(memoryBytesMax);
    await opened.snapshots.prepare("box", [diffId]);
    const box = await opened.snapshots.mount("box");
    expect(readdirSync(box)).toHaveLength(entries / inDirectory);
    expect(readdirSync(join(box, "d0"))).toHaveLength(inDirectory);
    const last = entries - 1;
    expect(readFileSync(join(box, `d${entries - inDirectory}`, `f${last}`), "utf8")).toBe(`file ${last}`);
  },
  long ? 1_800_000 : 120_000,
);

test.runIf(long)(
  "an archive that expands without end is refused when its entries are too many, not when the memory is",
  async () => {
    await using opened = await openTestLayers();
    // One name again and again: the tree stays small, and time is what it would take.
    const block = packTar([{ name: "a" }]).subarray(0, 512);
    const endless = function* (): Generator<Buffer> {
      const piece = Buffer.concat(Array.from({ length: 8_192 }, () => block));
      for (let made = 0; made < 4_000_001; made += 8_192) yield piece;
      yield tarEnd();
    };
    await expect(opened.layers.ingest(Readable.from(endless()), { signal })).rejects.toMatchObject({ class: "exhausted" });
    expect(opened.layers.list()).toEqual([]);
  },
  1_800_000,
);
