import { mkdtempSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { randomOf } from "../suites/kills.ts";
import { type Rig, logs, openRig, remove, run, wait } from "./rig.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
const kills = long ? 60 : 8;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? (long ? Math.floor(Math.random() * 2 ** 31) : 20_260_102));
const killAfterMsMax = 300;

const root = mkdtempSync("/var/tmp/slipway-log-kills-");
let rig: Rig;
beforeAll(async () => {
  console.log(`log kills: seed ${seed}, ${kills} kills (SLIPWAY_TEST_SEED repeats them)`);
  rig = await openRig("lk", { root });
});
afterAll(async () => {
  for (const { Id } of (await rig?.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } })) ?? []) await remove(rig.client, Id);
  await rig?.program[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

/** Numbers without end, in bursts: every third also to stderr, every seventh in two writes. SIGTERM: one last line says how many there were. */
const script = `trap 'over=1' TERM; i=0
while [ -z "$over" ]; do
  i=$((i+1)); case $((i%7)) in 0) printf "o$i"; echo;; *) echo o$i;; esac
  [ $((i%3)) = 0 ] && echo e$i >&2
  [ $((i%200)) = 0 ] && usleep 20000
done
printf "end $i"`;

const drivers = {
  plain: { Type: "json-file", Config: {} },
  rotating: { Type: "json-file", Config: { "max-size": "300k", "max-file": "2000" } },
  compressing: { Type: "json-file", Config: { "max-size": "300k", "max-file": "2000", compress: "true" } },
  local: { Type: "local", Config: { "max-size": "100m" } },
};

async function killAndStartAgain(): Promise<void> {
  // The kernel's list of sockets may miss one while others come and go.
  let pid: string | undefined;
  await expect.poll(() => (pid = daemonOf(rig.program.socket))).toMatch(/^\d+$/);
  process.kill(Number(pid), "SIGKILL");
  await rig.program.exited;
  const program = await startEngine({ isolate: rig.netns, root });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }) };
}

/** The first line that is not the one after the one before it. */
function firstBreak(text: string, step: number, letter: string): string | undefined {
  const lines = text.split("\n");
  lines.pop();
  const wrong = lines.findIndex((line, n) => line !== `${letter}${(n + 1) * step}`);
  return wrong < 0 ? undefined : `after ${lines[wrong - 1]}: ${lines.slice(wrong, wrong + 3).join(", ")}`;
}

test(
  "an engine killed in the middle of floods of output, again and again, has every line of them once",
  async () => {
    const random = randomOf(seed);
    for (const [name, LogConfig] of Object.entries(drivers)) await run(rig.client, { name, Cmd: ["sh", "-c", script], HostConfig: { LogConfig } });
    for (let n = 0; n < kills; n += 1) {
      await delay(random() * killAfterMsMax);
      await killAndStartAgain();
    }
    for (const name of Object.keys(drivers)) {
      await rig.client.call("POST", `/containers/${name}/stop`, { query: { t: 60 } });
      expect(await wait(rig.client, name)).toBe(0);
      const { stdout, stderr } = await logs(rig.client, name);
      const count = Number(/\nend (\d+)$/.exec(stdout)?.[1]);
      expect(count, name).toBeGreaterThan(kills);
      expect({ name, out: firstBreak(stdout, 1, "o"), err: firstBreak(stderr, 3, "e") }).toEqual({ name });
      expect([stdout.split("\n").length - 1, stderr.split("\n").length - 1], name).toEqual([count, Math.floor(count / 3)]);
    }
  },
  120_000 + kills * 15_000,
);
