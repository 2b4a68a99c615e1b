/** An hour of everything at once, with as many containers, connections and log lines as an engine ever has: its memory and descriptors stay as they were. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreCheck } from "#api/images.ts";
import { delay } from "#base/deadline.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { daemonOf, textOf } from "../fixtures/processes.ts";
import { acts, nothingPromised, tidy } from "../suites/kills.ts";
import { inspect, logs, openRig, type Rig, run, sh } from "./rig.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
const minutes = Number(process.env["SLIPWAY_TEST_MINUTES"] ?? 60);
const containers = 500;
const connections = 1_000;
const lines = 10_000_000;
/** How much the median of the last third may be above that of the second: what a leak of a few kilobytes an act comes to in an hour. */
const growthMax = 1.1;

const root = mkdtempSync("/var/tmp/slipway-soak-");
const clients: Socket[] = [];
let rig: Rig;

beforeAll(async () => {
  if (long) rig = await openRig("soak", { root });
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  if (rig !== undefined) await tidy(rig.client, { container: "", image: [] });
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

interface Sample {
  readonly rssMiB: number;
  readonly descriptors: number;
}

function sample(): Sample {
  const pid = daemonOf(rig.program.socket) ?? "";
  const rssMiB = Number(/^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]) / 1024;
  return { rssMiB, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** A client that asks for events, or for a container's log from its beginning, and never reads. */
async function open(path: string): Promise<void> {
  const socket = connect(rig.program.socket);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.on("error", () => undefined);
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  clients.push(socket);
}

test.runIf(long)(
  `${minutes} minutes with ${containers} containers, ${connections} clients that do not read and ${lines} lines leave memory and descriptors as they were`,
  async () => {
    const { client } = rig;
    const standing: string[] = [];
    for (let i = 0; i < containers; i += 1) standing.push(await run(client, { ...sh("exec sleep 100000"), HostConfig: { NetworkMode: "none" } }));
    const talker = await run(client, {
      name: "talker",
      ...sh(`seq ${lines}; echo over; exec sleep 100000`),
      HostConfig: { LogConfig: { Type: "json-file", Config: { "max-size": "50m", "max-file": "3" } } },
    });
    for (let i = 0; i < connections; i += 1) await open(i % 2 === 0 ? "/events" : `/containers/${talker}/logs?stdout=1&follow=1`);
    const archive = await dockerArchive([await busybox("again:1", { Env: ["A=1"] })]);
    const keep = new Set([...standing, talker]);
    const image = (await client.json<{ Id: string }>("GET", "/images/busybox/json")).Id;
    const names = Object.keys(acts).filter((name) => name !== "attach" && name !== "pull");
    const samples: Sample[] = [];
    const end = Date.now() + minutes * 60_000;
    for (let i = 0; Date.now() < end; i += 1) {
      const name = names[i % names.length]!;
      await acts[name]!({ client, promised: nothingPromised(), name: `s${i}`, archive, remote: "" });
      await client.json("GET", "/slipway/logs/search", { query: { text: "nothing has this", limit: 1 } });
      await call(i);
      await clear(keep, image);
      samples.push(sample());
      if (i % 20 === 0) console.log(`soak: ${i} acts, ${JSON.stringify(samples.at(-1))}`);
      await delay(300);
    }
    const third = Math.floor(samples.length / 3);
    const [second, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
    console.log(`soak: ${samples.length} acts`, second[0], last.at(-1));
    expect(medianOf(last.map(({ rssMiB }) => rssMiB))).toBeLessThan(growthMax * medianOf(second.map(({ rssMiB }) => rssMiB)));
    expect(medianOf(last.map(({ descriptors }) => descriptors))).toBeLessThanOrEqual(medianOf(second.map(({ descriptors }) => descriptors)) + 5);
    for (const id of standing) expect((await inspect(client, id)).State.Status).toBe("running");
    expect((await logs(client, talker, { tail: 2 })).stdout).toBe(`${lines}\nover\n`);
    expect((await client.json<StoreCheck>("GET", "/slipway/check")).Problems).toEqual([]);
  },
  (minutes + 20) * 60_000,
);

/** Requests that come and go: one that is broken off, one that is nonsense, one that is answered. */
async function call(i: number): Promise<void> {
  const { client } = rig;
  const socket = connect(rig.program.socket);
  socket.on("error", () => undefined);
  socket.write(i % 2 === 0 ? "GET /containers/json HTTP/1.1\r\nHost:" : "nonsense\r\n\r\n");
  await client.json("GET", "/containers/json", { query: { all: 1 } });
  socket.destroy();
}

/** Takes away what an act left. */
async function clear(keep: ReadonlySet<string>, image: string): Promise<void> {
  const { client } = rig;
  for (const { Id } of await client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } }))
    if (!keep.has(Id)) await client.call("DELETE", `/containers/${Id}`, { query: { force: 1, v: 1 } }).catch(() => undefined);
  for (const path of ["/volumes/prune", "/networks/prune", "/build/prune"])
    await client.json("POST", path, { query: { filters: JSON.stringify(path.startsWith("/volumes") ? { all: ["true"] } : {}) } });
  for (const { Id } of await client.json<{ Id: string }[]>("GET", "/images/json"))
    if (Id !== image) await client.json("DELETE", `/images/${Id}`, { query: { force: 1 } }).catch(() => undefined);
}
