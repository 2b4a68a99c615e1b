import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { inspect, openRig, type Rig, run, sh } from "../engine/rig.ts";
import { busyboxLayer, makeImage } from "../fixtures/image.ts";
import { type Holdings, holdings } from "../fixtures/leaks.ts";
import { startEngine } from "../fixtures/program.ts";
import { type Stepping, steppingBundle } from "../fixtures/stepping.ts";
import { randomOf, tidy } from "./kills.ts";
import { imageWithData, runAgain, type StepAct, stepActs } from "./steps.acts.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
/** Each step in the long run; in the short one one of each act, the same each time. */
const random = randomOf(Number(process.env["SLIPWAY_TEST_SEED"] ?? 5));
const directory = mkdtempSync("/var/tmp/slipway-steps-");
const root = join(directory, "root");
const readMs = 100;
let rig: Rig;
let stepping: Stepping;
let keep: { container: string; image: readonly string[] };
let pid: number;

/** What is held before an act and after it, and once all of it is removed again. */
interface Course {
  readonly before: Held;
  readonly after: Held;
  readonly clean: Held;
  readonly steps: number;
}

interface Held extends Holdings {
  /** How many rows each table of the state has. */
  readonly rows: Readonly<Record<string, number>>;
  /** Ports that containers publish at their next start. */
  readonly asked: readonly string[];
}

/**
 * Downloads and layers are kept for a while, shims for the next containers, and a container's own files as long as it is there; what is seen
 * through a mount goes with it.
 */
const isKept = (path: string): boolean =>
  /^\/(content\/blobs|ingest|layers)\/|^\/run\/(shims\/hot-|layers\/)|^\/containers\/\w+\/host|\/resolv.conf$|\/(merged|upper)\/|\/snapshots$/.test(path);
/** What is named by chance is not told apart. */
const nameless = (text: string): string => text.replaceAll(/\b(veth|br-|dm-|di-)?[0-9a-f]{7,64}\b/g, "$1#");

function now(): Held {
  const held = holdings({ socket: rig.program.socket, root, netns: rig.netns });
  const files = held.files.filter((path) => !isKept(path));
  const mounts = held.mounts.filter((path) => !path.includes("/run/layers/"));
  const named = { mounts, links: held.links, nft: held.nft, cgroups: held.cgroups, files };
  const lists = Object.entries(named).map(([name, list]) => [name, list.map(nameless).toSorted()]);
  return { ...(Object.fromEntries(lists) as unknown as Holdings), ...state() };
}

/** Of a copy: the engine holds the lock. */
function state(): Pick<Held, "rows" | "asked"> {
  const copy = join(directory, "copy.db");
  for (const end of ["", "-wal"]) {
    rmSync(copy + end, { force: true });
    if (existsSync(join(root, `state.db${end}`))) copyFileSync(join(root, `state.db${end}`), copy + end);
  }
  using database = new DatabaseSync(copy);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all() as { name: string }[];
  const specs = database.prepare("SELECT spec -> '$.hostConfig.PortBindings' AS asked FROM containers").all();
  return {
    rows: Object.fromEntries(tables.map(({ name }) => [name, Number(database.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.["n"])])),
    asked: specs.map(({ asked }) => String(asked)),
  };
}

/** What is more (+) or less (-) than at `base`. */
function differences(held: Held, base: Held): string[] {
  const words = ({ rows: tables, ...lists }: Held): string[] => [
    ...Object.entries(lists).flatMap(([list, items]) => (items as string[]).map((item) => `${list}: ${item}`)),
    ...Object.entries(tables).flatMap(([table, count]) => Array.from({ length: count }, () => `row of ${table}`)),
  ];
  const [there, once] = [words(held), words(base)];
  const missingIn = (list: string[], of: string[]): string[] => {
    const left = [...list];
    return of.filter((word) => {
      const at = left.indexOf(word);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  return [...missingIn(once, there).map((word) => `+ ${word}`), ...missingIn(there, once).map((word) => `- ${word}`)];
}

/** What is held once nothing is done any more. */
async function quiet(): Promise<Held> {
  for (let last = "", tries = 0; tries < 100; tries += 1) {
    const found = now();
    const next = JSON.stringify([found, stepping.counted()]);
    if (next === last) return found;
    last = next;
    await delay(readMs);
  }
  throw new Error("the engine does not come to rest");
}

async function restart(): Promise<void> {
  await rig.program.exited;
  stepping.stop();
  const program = await startEngine({ isolate: rig.netns, root, bundle: stepping.bundle });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }) };
}

/** Runs the act on an engine that dies before step `die`; whether it lived to its end, all that follows the answer included. */
async function survives(act: StepAct, die: number): Promise<boolean> {
  stepping.count(die);
  try {
    await act.run(rig.client);
    for (let last = -1; last !== stepping.counted(); await delay(readMs)) last = stepping.counted();
  } catch (error) {
    if (stepping.counted() < die) throw error;
  }
  const dead = stepping.counted() >= die;
  stepping.stop();
  return !dead;
}

const tidied = async (): Promise<Held> => {
  await tidy(rig.client, keep);
  return await quiet();
};

async function inPeace(act: StepAct): Promise<Course> {
  await act.prepare?.(rig.client);
  const before = await quiet();
  stepping.count();
  await act.run(rig.client);
  const after = await quiet();
  const steps = stepping.counted();
  stepping.stop();
  return { before, after, clean: await tidied(), steps };
}

async function killedBefore(name: string, act: StepAct, die: number, { before, after, clean }: Course): Promise<boolean> {
  const what = `${name}: killed before step ${die}`;
  await act.prepare?.(rig.client);
  if (await survives(act, die)) {
    await tidied();
    return false;
  }
  await restart();
  const left = await quiet();
  // Between the two there may be what is done piece by piece.
  const [fewest] = act.byPieces === true ? [[]] : [before, after].map((state) => differences(left, state)).toSorted((a, b) => a.length - b.length);
  expect(fewest, what).toEqual([]);
  await runAgain(act, rig.client);
  expect(differences(await quiet(), after), `${what}, done again`).toEqual([]);
  expect((await inspect(rig.client, keep.container)).State, what).toMatchObject({ Status: "running", Pid: pid });
  expect(differences(await tidied(), clean), `${what}, tidied`).toEqual([]);
  return true;
}

beforeAll(async () => {
  const data = ["a", "b", "c"].map((name) => ({ name: `data/${name}`, data: name }));
  rig = await openRig("st", { root, images: [await makeImage(imageWithData, [busyboxLayer(), [{ name: "data/", type: "directory" }, ...data]])] });
  const container = await run(rig.client, { name: "keeper", ...sh("exec sleep 100000") });
  const images = await rig.client.json<{ Id: string }[]>("GET", "/images/json");
  keep = { container, image: images.map(({ Id }) => Id) };
  pid = (await inspect(rig.client, container)).State.Pid;
  stepping = steppingBundle(directory);
  await rig.program.stop("SIGTERM");
  await restart();
  // What is made once and kept is no leak.
  for (const name of ["start with networks and ports", "create with an anonymous volume"]) await inPeace(stepActs[name]!);
});
afterAll(async () => {
  // Containers outlive their engine, and so would everything they hold.
  await tidy(rig.client, { container: "", image: [] });
  await rig.program[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(tidied);

test.each(Object.entries(stepActs))(
  "%s: an engine killed before any step has done it or has not, leaves nothing else, and does it when asked again",
  async (name, act) => {
    const course = await inPeace(act);
    expect(course.steps).toBeGreaterThan(0);
    if (!long) return void (await killedBefore(name, act, 1 + Math.floor(random() * course.steps), course));
    for (let die = 1; await killedBefore(name, act, die, course); die += 1);
  },
  long ? 1_200_000 : 60_000,
);
