import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stockDocker } from "../fixtures/docker.ts";
import { tarOf } from "../fixtures/image.ts";
import { type Holdings, holdings, atRest } from "../fixtures/leaks.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { buildCases, context } from "../suites/build.cases.ts";
import { fuzzDockerfile } from "./fuzz-dockerfiles.ts";
import { Dice } from "./fuzz-requests.ts";
import { type Rig, logs, openRig, remove, run, sh, wait } from "./rig.ts";

const count = process.env["SLIPWAY_TEST_LONG"] === "1" ? 5_000 : 120;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? 20_261_126);
/** Of those the stock client with BuildKit sends as many. */
const buildkitCount = count / 10;
const atOnce = 8;
/** A file that came out sound may ask for something slow: its client leaves then. */
const patienceMs = 4_000;

let rig: Rig;
beforeAll(async () => {
  rig = await openRig("fuzzb");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly whole: boolean;
}

/** 0 and nothing: the connection was closed without an answer. */
function build(tar: Buffer): Promise<Outcome> {
  return new Promise((resolve) => {
    const headers = { "Content-Type": "application/x-tar", "Content-Length": tar.length };
    const sent = request({ socketPath: rig.program.socket, method: "POST", path: "/build?forcerm=1", headers });
    const patience = setTimeout(() => sent.destroy(), patienceMs);
    const [chunks, outcome]: [Buffer[], { status: number; whole: boolean }] = [[], { status: 0, whole: false }];
    sent.on("response", (answer) => {
      outcome.status = answer.statusCode ?? 0;
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => (outcome.whole = true));
      answer.on("error", () => {});
    });
    sent.on("error", () => {});
    sent.on("close", () => {
      clearTimeout(patience);
      resolve({ ...outcome, text: Buffer.concat(chunks).toString() });
    });
    sent.end(tar);
  });
}

/** What a mistake of ours would say, and no sentence about a Dockerfile does. */
const ours =
  /Cannot (read|set|convert)|is not (a function|iterable|defined)|Invalid (array|string) length|Maximum call stack|\[object |\bNaN\b|out of bounds|SQLITE/;

function fault({ status, text, whole }: Outcome): string | undefined {
  if (ours.test(text)) return "a mistake of the engine's";
  if (status >= 500) return `${status} for bad input`;
  if (whole && status === 200 && !/"(error|aux)"/.test(text)) return "an end without a result";
  if (whole && status >= 400 && !/^\{"message":"./.test(text)) return "a refusal without a message";
  return undefined;
}

/** The context, at times broken itself: cut off, or with bytes that are not its own. */
async function contextOf(dice: Dice, dockerfile: string): Promise<Buffer> {
  const files = Object.entries(context).map(([name, data]) => ({ name, data }));
  const tar = await tarOf([{ name: "Dockerfile", data: dockerfile }, ...files]);
  if (dice.chance(0.9)) return tar;
  if (dice.chance(0.5)) return tar.subarray(0, dice.below(tar.length));
  for (let left = 4; left > 0; left -= 1) tar[dice.below(tar.length)] = dice.below(256);
  return tar;
}

/** Runs `one` that often, some at once and each with dice of its own, and gathers what it says. */
async function each(times: number, firstSeed: number, one: (dice: Dice) => Promise<string | undefined>): Promise<string[]> {
  const said: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < times) {
      const own = firstSeed + next;
      next += 1;
      const found = await one(new Dice(own));
      if (found !== undefined) said.push(`seed ${own}: ${found}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return said;
}

const here = (): Holdings => holdings({ socket: rig.program.socket, root: rig.program.root, netns: rig.netns });

test(`${count} builds of files and contexts that are wrong somewhere, of seed ${seed}, each end soundly and leave nothing mounted`, {
  timeout: count * 2_000 + 60_000,
}, async () => {
  const pid = daemonOf(rig.program.socket);
  const warm = await run(rig.client, sh("true"));
  await wait(rig.client, warm);
  await remove(rig.client, warm);
  const before = await atRest(here);
  const files = buildCases.map(({ dockerfile }) => dockerfile);
  const faults = await each(count, seed, async (dice) => {
    const wrong = fuzzDockerfile(dice, files);
    const outcome = await build(await contextOf(dice, wrong));
    const reason = fault(outcome);
    return reason === undefined ? undefined : `${reason}: ${JSON.stringify(wrong).slice(0, 600)} -> ${outcome.status} ${outcome.text.slice(-300)}`;
  });
  expect(faults).toEqual([]);
  expect(daemonOf(rig.program.socket)).toBe(pid);
  const id = await run(rig.client, sh("echo alive"));
  expect(await wait(rig.client, id)).toBe(0);
  expect((await logs(rig.client, id)).stdout).toBe("alive\n");
  await remove(rig.client, id);
  // What was built, mounted layers included, is the cache's and the images'; a step that was cut off leaves none of these.
  const kept = ({ links, cgroups, mounts }: Holdings): unknown => ({ links, cgroups, mounts: mounts.filter((path) => !path.includes("/layers/")) });
  await expect.poll(() => kept(here()), { timeout: 30_000, interval: 500 }).toEqual(kept(before));
});

test(`${buildkitCount} of them by docker build and BuildKit end soundly, too`, { timeout: buildkitCount * 10_000 + 60_000 }, async () => {
  const pid = daemonOf(rig.program.socket);
  const docker = stockDocker({ socket: rig.program.socket, netns: rig.netns });
  const files = buildCases.filter(({ builder }) => builder !== "classic").map(({ dockerfile }) => dockerfile);
  const faults = await each(buildkitCount, seed + count, async (dice) => {
    const dockerfile = fuzzDockerfile(dice, files);
    const input = await contextOf(dice, dockerfile);
    // An image of a name that nobody has may be asked for as long as the resolver takes.
    const left = AbortSignal.timeout(2 * patienceMs);
    const { code, stderr } = await docker.with({ input, signal: left }, "build", "--progress=plain", "-").catch((error: unknown) => {
      if (!left.aborted) throw error;
      return { code: 1, stderr: "the client left" };
    });
    const reason = ours.test(stderr) ? "a mistake of the engine's" : code !== 0 && stderr === "" ? "a failure without a word" : undefined;
    return reason === undefined ? undefined : `${reason}: ${JSON.stringify(dockerfile).slice(0, 600)} -> ${code} ${stderr.slice(-400)}`;
  });
  expect(faults).toEqual([]);
  expect(daemonOf(rig.program.socket)).toBe(pid);
});

test("patterns made to be tried for ever are done with, in a context, in its ignore file, and in a filter", { timeout: 120_000 }, async () => {
  const [name, pattern] = ["a".repeat(250), `${"*a".repeat(12)}*b`];
  const dockerfile = `FROM busybox\nARG A=${name}\nENV B=\${A##${pattern}} C=\${A%%${pattern}} D=\${A//${pattern}/x}\nCOPY a* /\nCOPY ${pattern} /\n`;
  const files = [
    { name: "Dockerfile", data: dockerfile },
    { name: ".dockerignore", data: `${pattern}\n**/${pattern}\n` },
    { name, data: "" },
  ];
  expect((await build(await tarOf(files))).text).toContain("file does not exist");
  await rig.client.json("POST", "/containers/create", { query: { name: "a".repeat(60) }, json: { Image: "busybox" } });
  const found = await rig.client.json<unknown[]>("GET", "/containers/json", { query: { all: 1, filters: JSON.stringify({ name: ["^(/?a+)+$", "(a+)+x"] }) } });
  expect(found).toHaveLength(1);
});
