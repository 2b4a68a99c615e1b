import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { type Rig, inspect, logs, openRig, remove, run, sh } from "../engine/rig.ts";
import { busybox, dockerArchive, makeImage } from "../fixtures/image.ts";
import { type Holdings, holdings, atRest } from "../fixtures/leaks.ts";
import { daemonOf, parentOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";
import { type Promised, type Stage, acts, brokenPromises, nothingPromised, randomOf, tidy } from "./kills.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
const rounds = long ? 560 : 20;
const shimRounds = long ? 160 : 8;
/** The short run is the same each time; the long one goes where none has been. */
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? (long ? Math.floor(Math.random() * 2 ** 31) : 1_909_821_550));
const random = randomOf(seed);
const actsAtOnce = 4;
const killAfterMsMax = 700;

const root = mkdtempSync("/var/tmp/slipway-kills-");
let rig: Rig;
let registry: TestRegistry;
let keep: { container: string; image: string };
let pid: number;
let clean: Holdings;
let given: Pick<Stage, "archive" | "remote">;

/** What was downloaded or loaded of an image that never came to be is kept for a while, so that a second try is short; shims stay for the next containers. */
const isKept = (path: string): boolean => /^\/(content\/blobs|ingest|layers)\/|^\/run\/shims\/hot-/.test(path);
const now = (): Holdings => {
  const held = holdings({ socket: rig.program.socket, root, netns: rig.netns });
  return { ...held, files: held.files.filter((path) => !isKept(path)) };
};
const noise = (name: string) => ({ name, data: Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7919 + name.length) & 0xff)) });

beforeAll(async () => {
  console.log(`kills: seed ${seed}, ${rounds} rounds (SLIPWAY_TEST_SEED repeats them)`);
  rig = await openRig("kl", { root });
  registry = await startRegistry({ dir: join(root, "..", `slipway-kills-registry-${process.pid}`), port: 5055, netns: rig.netns });
  const remote = await makeImage("far:1", [[noise("a")], [noise("bb")]]);
  await registry.push("far", "1", remote);
  given = {
    remote: `${registry.address}/far:1`,
    archive: await dockerArchive([await makeImage("made:1", [[noise("ccc")]]), await busybox("again:1", { Env: ["A=1"] })]),
  };
  const container = await run(rig.client, { name: "keeper", ...sh("i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done") });
  keep = { container, image: (await rig.client.json<{ Id: string }>("GET", "/images/busybox/json")).Id };
  pid = (await inspect(rig.client, container)).State.Pid;
  // What is made once and kept (the network's rules, the log's thread) is no leak: every act once, in peace.
  for (const name of Object.keys(acts)) if (name !== "attach") await acts[name]!(stageOf(nothingPromised(), `warm-${name.replaceAll(/\W/g, "")}`));
  await tidy(rig.client, keep);
  clean = await atRest(now);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  // Containers outlive their engine, and so would everything they hold.
  await tidy(rig.client, { container: "", image: "" });
  await rig?.program[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
  rmSync(join(root, "..", `slipway-kills-registry-${process.pid}`), { recursive: true, force: true });
});

const stageOf = (promised: Promised, name: string): Stage => ({ client: rig.client, promised, name, ...given });

const begin = (promised: Promised, names: readonly string[], round: string): Promise<unknown> =>
  Promise.allSettled(names.map((name, i) => acts[name]!(stageOf(promised, `r${round}-${i}`))));

async function startAgain(): Promise<void> {
  await rig.program.exited;
  const program = await startEngine({ isolate: rig.netns, root });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }) };
}

/** Several acts at once, the engine killed in the middle of them and started again. */
async function killInTheMiddleOf(names: readonly string[], afterMs: number, round: number): Promise<Promised> {
  const promised = nothingPromised();
  const engine = Number(daemonOf(rig.program.socket));
  const acting = begin(promised, names, `${round}`);
  await delay(afterMs);
  process.kill(engine, "SIGKILL");
  await Promise.all([startAgain(), acting]);
  return promised;
}

/** The processes that hold what runs. */
async function shims(): Promise<number[]> {
  const running = await rig.client.json<{ Id: string }[]>("GET", "/containers/json");
  const states = await Promise.all(running.map(({ Id }) => inspect(rig.client, Id).catch(() => undefined)));
  const parents = states.map((state) => parentOf(state?.State.Pid || 1) ?? 0);
  return [...new Set(parents)].filter((pid) => pid > 1);
}

/** Several acts at once, their shims killed in the middle of them, and the engine as well if so wished. Returns how many shims there were. */
async function killShimsInTheMiddleOf(names: readonly string[], promised: Promised, { afterMs, round, engineToo }: ShimKill): Promise<number> {
  const engine = Number(daemonOf(rig.program.socket));
  const acting = begin(promised, names, `s${round}`);
  await delay(afterMs);
  const victims = await shims();
  for (const pid of victims) killIfThere(pid);
  if (engineToo) {
    process.kill(engine, "SIGKILL");
    await startAgain();
  }
  await acting;
  for (const id of promised.created) promised.lost.add(id);
  return victims.length;
}

/** With the base image's layers mounted, as after any container. */
async function tidied(): Promise<void> {
  await tidy(rig.client, { ...keep, container: "" });
  const id = await run(rig.client, sh("true"));
  await rig.client.json("POST", `/containers/${id}/wait`);
  await remove(rig.client, id);
}

interface ShimKill {
  readonly afterMs: number;
  readonly round: number;
  readonly engineToo: boolean;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // One that has become empty ends by itself.
  }
}

test(
  "an engine killed in the middle of anything, again and again, keeps every promise after its restart and leaks nothing",
  async () => {
    const names = Object.keys(acts);
    for (let round = 0; round < rounds; round += 1) {
      const chosen = Array.from({ length: actsAtOnce }, () => names[Math.floor(random() * names.length)]!);
      const afterMs = Math.floor(random() * killAfterMsMax);
      const what = `round ${round} of seed ${seed}: killed ${afterMs} ms into ${chosen.join(", ")}`;
      const promised = await killInTheMiddleOf(chosen, afterMs, round);
      expect(await brokenPromises(rig.client, promised), what).toEqual([]);
      expect((await inspect(rig.client, keep.container)).State, what).toMatchObject({ Status: "running", Pid: pid });
      await tidy(rig.client, keep);
      await expect.poll(now, { timeout: 20_000, interval: 100, message: what }).toEqual(clean);
    }
    await rig.client.call("POST", `/containers/${keep.container}/stop`, { query: { t: 0 } });
    const numbers = (await logs(rig.client, keep.container)).stdout.trim().split("\n").map(Number);
    expect(numbers).toEqual(Array.from(numbers, (_, i) => i + 1));
  },
  rounds * 30_000,
);

test(
  "when shims are killed in the middle of anything their containers end, can be started again and leave nothing",
  async () => {
    await tidied();
    clean = await atRest(now);
    const names = Object.keys(acts);
    let killed = 0;
    for (let round = 0; round < shimRounds; round += 1) {
      const chosen = Array.from({ length: actsAtOnce }, () => names[Math.floor(random() * names.length)]!);
      const [afterMs, engineToo] = [200 + Math.floor(random() * killAfterMsMax), random() < 0.5];
      const what = `round ${round} of seed ${seed}: shims${engineToo ? " and the engine" : ""} killed ${afterMs} ms into ${chosen.join(", ")}`;
      const promised = nothingPromised();
      killed += await killShimsInTheMiddleOf(chosen, promised, { afterMs, round, engineToo });
      expect(await brokenPromises(rig.client, promised), what).toEqual([]);
      await tidied();
      await expect.poll(now, { timeout: 20_000, interval: 100, message: what }).toEqual(clean);
    }
    expect(killed).toBeGreaterThan(shimRounds / 2);
  },
  shimRounds * 30_000,
);
