import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { delay } from "#base/deadline.ts";
import { type MadeImage, dockerArchive, makeImage } from "../fixtures/image.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startRegistry } from "../fixtures/registry.ts";
import { type Row, timed } from "./row.ts";
import { memoryAfterRow } from "./rows-memory.ts";
import type { Target } from "./target.ts";

/** One registry a namespace, all with the same data, on the same port: every engine pulls the same name. */
const port = 15999;
const many = `127.0.0.1:${port}/bench/many:v1`;
const big = `127.0.0.1:${port}/bench/big:v1`;

const clearedMs = 2_000;

/** What an engine removes after it has answered, and what the kernel has yet to write for it, is not to be measured with what is asked next. */
async function cleared(): Promise<void> {
  await delay(clearedMs);
  execFileSync("sync");
}

/** Rows of the images of 20,000 files and of 300 MB; their registries keep their data in `directory`. Hold it open while they run. */
export async function imageRows(targets: readonly Target[], directory: string): Promise<AsyncDisposable & { readonly rows: readonly Row[] }> {
  await using undo = new AsyncDisposableStack();
  const [manyImage, bigImage] = await madeImages();
  for (const target of targets) for (const image of [many, big]) await untag(target, image).catch(() => undefined);
  {
    await using seed = await startRegistry({ dir: directory, port });
    await seed.push("bench/many", "v1", manyImage);
    await seed.push("bench/big", "v1", bigImage);
  }
  for (const netns of new Set(targets.map((t) => t.netns))) undo.use(await startRegistry({ dir: directory, port, ...(netns === undefined ? {} : { netns }) }));
  const rows = [
    pullRow("20,000 files", 0.4, many),
    pullRow("300 MB", 0.7, big),
    memoryAfterRow,
    diskRow,
    upToDateRow,
    pushRow,
    saveRow,
    loadRow("20,000 files", many, await dockerArchive([manyImage])),
    loadRow("300 MB", big, await dockerArchive([bigImage])),
    removalRow,
  ];
  const held = undo.move();
  return { rows, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** With no layer of another image that is here: dockerd takes such a layer without its blob, and cannot push it afterwards. */
async function madeImages(): Promise<[MadeImage, MadeImage]> {
  const files = Array.from({ length: 20_000 }, (_, i) => ({ name: `files/${Math.floor(i / 100)}/f${i}`, data: `${"x".repeat(i % 2000)}\n` }));
  const noise = Buffer.alloc(75_000_000);
  for (let i = 0; i + 4 <= noise.length; i += 4) noise.writeUInt32LE((Math.imul(i, 2_654_435_761) ^ (i >>> 3)) >>> 0, i);
  const blobs = Array.from({ length: 4 }, (_, i) => [{ name: `blob${i}`, data: Buffer.concat([Buffer.from([i]), noise]) }]);
  return [await makeImage(many, [[{ name: "many", data: "" }], files]), await makeImage(big, blobs)];
}

/** An answer that is 200 whatever happened says in its lines what went wrong. */
async function succeeding(target: Target, path: string, body?: Buffer, headers?: Record<string, string>): Promise<void> {
  const text = JSON.stringify(await target.call<unknown>("POST", path, body, headers));
  if (text.includes("errorDetail")) throw new Error(`${target.label}: ${path}: ${text.slice(-300)}`);
}

const pull = (target: Target, reference: string): Promise<void> => succeeding(target, `/images/create?fromImage=${encodeURIComponent(reference)}`);
const load = (target: Target, archive: Buffer): Promise<void> => succeeding(target, "/images/load?quiet=1", archive);
/** Other engines have none. */
const emptyTrash = (target: Target): Promise<unknown> => target.call("DELETE", "/slipway/trash").catch(() => undefined);
const untag = (target: Target, reference: string): Promise<unknown> => target.call("DELETE", `/images/${reference}?force=1`);

/** For good: what the engine keeps of it, to bring it back, would make the next pull a short one. */
async function remove(target: Target, reference: string): Promise<void> {
  await untag(target, reference);
  await emptyTrash(target);
  await cleared();
}

/** Brings an image here, and removes it again. */
const comingRow = (name: string, budget: number, reference: string, bring: (target: Target) => Promise<void>): Row => ({
  name,
  unit: "ms",
  rounds: 3,
  budget,
  async measure(target) {
    const took = await timed(() => bring(target));
    await remove(target, reference);
    return took;
  },
});

const pullRow = (what: string, budget: number, reference: string): Row => comingRow(`pull of ${what}`, budget, reference, (target) => pull(target, reference));
const loadRow = (what: string, reference: string, archive: Buffer): Row => comingRow(`load of ${what}`, 0.5, reference, (target) => load(target, archive));

/** A pull of what is here already: how long the question takes. */
const upToDateRow: Row = {
  name: "second pull of an up-to-date tag",
  unit: "ms",
  rounds: 15,
  budget: 1,
  setup: (target) => pull(target, many),
  measure: (target) => timed(() => pull(target, many)),
  teardown: (target) => remove(target, many),
};

/**
 * A registry with nothing in it each time, on a port of its own: nothing is there already, nor to be mounted from elsewhere. It keeps in memory
 * what it is given: its disk would be most of what is measured.
 */
const pushRow: Row = {
  name: "push of 300 MB",
  unit: "ms",
  rounds: 3,
  budget: 1 / 1.5,
  setup: (target) => pull(target, big),
  async measure(target, round) {
    const empty = mkdtempSync("/dev/shm/slipway-bench-");
    try {
      await using registry = await startRegistry({ dir: empty, port: port + 1 + round, ...(target.netns === undefined ? {} : { netns: target.netns }) });
      const name = `${registry.address}/pushed`;
      await target.call("POST", `/images/${big}/tag?repo=${name}&tag=v1`);
      const took = await timed(() => succeeding(target, `/images/${name}/push?tag=v1`, undefined, { "X-Registry-Auth": "e30=" }));
      await remove(target, `${name}:v1`);
      return took;
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  },
  teardown: (target) => remove(target, big),
};

const saveRow: Row = {
  name: "save of 300 MB",
  unit: "ms",
  rounds: 3,
  budget: 1 / 1.5,
  setup: (target) => pull(target, big),
  measure: (target) =>
    timed(async () => {
      const bytes = await target.count("GET", `/images/get?names=${encodeURIComponent(big)}`, "Connection: close").bytes;
      if (bytes < 300_000_000) throw new Error(`${target.label}: save gave ${bytes} bytes`);
    }),
  teardown: (target) => remove(target, big),
};

const removalRow: Row = {
  name: "rmi of 20,000 files",
  unit: "ms",
  rounds: 3,
  budget: 0.2,
  async measure(target) {
    await pull(target, many);
    const took = await timed(() => untag(target, many));
    await emptyTrash(target);
    await cleared();
    return took;
  },
};

/** What the two images take on the disk, unpacked and kept for pushing. */
const diskRow: Row = {
  name: "disk used by the two images",
  unit: "MB",
  rounds: 1,
  budget: 1.6,
  async measure(target) {
    const { DockerRootDir: root } = await target.call<{ DockerRootDir: string }>("GET", "/info");
    const daemon = daemonOf(target.socket);
    if (daemon === undefined) return undefined;
    const used = async (): Promise<number> => {
      await delay(clearedMs);
      // What is mounted beneath is counted where it lies.
      return Number.parseInt(execFileSync("du", ["-sxk", `/proc/${daemon}/root${root}`], { encoding: "utf8" }), 10);
    };
    const before = await used();
    for (const reference of [many, big]) await pull(target, reference);
    const after = await used();
    for (const reference of [many, big]) await remove(target, reference);
    return ((after - before) * 1024) / 1_000_000;
  },
};
