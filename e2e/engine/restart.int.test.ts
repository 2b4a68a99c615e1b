import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type Rig, create, frames, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

const root = mkdtempSync("/var/tmp/slipway-restart-");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const place = (name: string): string => join(root, name);
const clientOf = (program: Program): EngineClient => new EngineClient({ kind: "socket", path: program.socket });

/** The same root again, after `stop` ended the engine. */
async function again(
  rig: Rig,
  stop: (rig: Rig) => Promise<void>,
  args: readonly string[] = [],
): Promise<{ program: Program; client: EngineClient } & AsyncDisposable> {
  try {
    await stop(rig);
  } catch (error) {
    await rig[Symbol.asyncDispose]();
    throw error;
  }
  const program = await startEngine({ isolate: rig.netns, root: rig.program.root, args });
  return { program, client: clientOf(program), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

const killed = async ({ program }: Rig): Promise<void> => {
  // The kernel's list of sockets may miss one while others come and go.
  let pid: string | undefined;
  await expect.poll(() => (pid = daemonOf(program.socket))).toMatch(/^\d+$/);
  process.kill(Number(pid), "SIGKILL");
  await program.exited;
};
const stopped = async ({ program }: Rig): Promise<void> => void (await program.stop());

test("after kill -9 containers go on, ended ones have their true exit code, attached input still arrives, what they print meanwhile is kept", async () => {
  const rig = await openRig("rk", { root: place("kill") });
  const before = rig.client;
  await run(before, { name: "counter", ...sh("i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done") });
  await run(before, { name: "short", ...sh("sleep 1; echo last words; exit 42") });
  await run(before, { name: "listener", Cmd: ["cat"], OpenStdin: true, StdinOnce: true });
  await run(before, { name: "held", Cmd: ["sleep", "1000"] });
  await before.call("POST", "/containers/held/pause");
  const pid = (await inspect(before, "counter")).State.Pid;
  await using next = await again(rig, async (one) => {
    await killed(one);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  });
  const { client } = next;
  expect((await inspect(client, "counter")).State).toMatchObject({ Status: "running", Pid: pid });
  expect(await wait(client, "short")).toBe(42);
  expect((await logs(client, "short")).stdout).toBe("last words\n");
  expect((await inspect(client, "held")).State.Status).toBe("paused");
  const { stream } = await client.hijack("/containers/listener/attach", { query: { stream: 1, stdin: 1, stdout: 1 } });
  stream.end("heard after all");
  expect((await frames(stream)).stdout).toBe("heard after all");
  await client.call("POST", "/containers/counter/stop", { query: { t: 0 } });
  const numbers = (await logs(client, "counter")).stdout.trim().split("\n").map(Number);
  expect(numbers).toEqual(Array.from(numbers, (_, i) => i + 1));
  for (const name of ["counter", "short", "listener", "held"]) await remove(client, name);
});

test("a clean stop with live-restore leaves containers running, and the next engine has them", async () => {
  const rig = await openRig("rl", { root: place("live") });
  const id = await run(rig.client, { Cmd: ["sleep", "1000"], HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } } });
  await run(rig.client, { name: "teller", ...sh("i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done") });
  const { State, NetworkSettings } = await inspect(rig.client, id);
  await using next = await again(rig, stopped);
  const now = await inspect(next.client, id);
  expect(now.State.Pid).toBe(State.Pid);
  expect(now.NetworkSettings.Ports).toEqual(NetworkSettings.Ports);
  const exec = await next.client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json: { Cmd: ["echo", "alive"], AttachStdout: true } });
  const { stream } = await next.client.hijack(`/exec/${exec.Id}/start`, { json: {} });
  expect((await frames(stream)).stdout).toBe("alive\n");
  await next.client.call("POST", "/containers/teller/stop", { query: { t: 0 } });
  const told = (await logs(next.client, "teller")).stdout.trim().split("\n").map(Number);
  expect(told).toEqual(Array.from(told, (_, i) => i + 1));
  const journal = readFileSync(join(rig.program.root, "engine.log"), "utf8");
  expect(journal.match(/^\S+ error .*$/gm)).toBeNull();
  for (const name of [id, "teller"]) await remove(next.client, name);
});

test("without live-restore a clean stop ends each by its stop signal, and the next start brings up what its policy wants", async () => {
  const config = place("daemon.json");
  writeFileSync(config, JSON.stringify({ "live-restore": false }));
  const rig = await openRig("rp", { root: place("policy"), args: ["--config", config] });
  const before = rig.client;
  const graceful = sh("trap 'echo stopped by signal; exit 0' TERM; while :; do sleep 0.1; done");
  for (const [name, policy] of [
    ["always", "always"],
    ["unless", "unless-stopped"],
    ["byhand", "unless-stopped"],
    ["byhand-always", "always"],
    ["none", "no"],
  ] as const) {
    await run(before, { name, ...graceful, HostConfig: { RestartPolicy: { Name: policy } } });
  }
  await create(before, { name: "never-started", Cmd: ["sleep", "1000"], HostConfig: { RestartPolicy: { Name: "always" } } });
  for (const name of ["byhand", "byhand-always"]) await before.call("POST", `/containers/${name}/stop`);
  await using next = await again(rig, stopped, ["--config", config]);
  const { client } = next;
  const running = (name: string) => async () => (await inspect(client, name)).State.Running;
  for (const name of ["always", "unless", "byhand-always"]) await expect.poll(running(name), { timeout: 15_000 }).toBe(true);
  for (const name of ["byhand", "none", "never-started"]) expect(await running(name)()).toBe(false);
  expect((await logs(client, "none")).stdout).toBe("stopped by signal\n");
  expect((await inspect(client, "none")).State.ExitCode).toBe(0);
  expect(await client.json("GET", "/info")).toMatchObject({ LiveRestoreEnabled: false });
});

test("a start of the engine counts restarts anew, lets rest who was stopped by hand, and removes what was to remove itself", async () => {
  const config = place("boot.json");
  writeFileSync(config, JSON.stringify({ "live-restore": false }));
  const rig = await openRig("rb", { root: place("boot"), args: ["--config", config] });
  const before = rig.client;
  const onFailure = { StopTimeout: 0, HostConfig: { RestartPolicy: { Name: "on-failure" } } } as const;
  await run(before, { name: "third-time", ...sh("echo >> /n; test $(wc -l < /n) -ge 3 && exec sleep 1000"), ...onFailure });
  await run(before, { name: "byhand", Cmd: ["sleep", "1000"], ...onFailure });
  await before.call("POST", "/containers/byhand/stop");
  await create(before, { name: "temporary", Cmd: ["true"], HostConfig: { AutoRemove: true } });
  await expect.poll(async () => (await inspect(before, "third-time")).RestartCount, { timeout: 15_000 }).toBe(2);
  await expect.poll(async () => (await inspect(before, "third-time")).State.Status, { timeout: 15_000 }).toBe("running");
  await using next = await again(rig, stopped, ["--config", config]);
  const { client } = next;
  await expect.poll(async () => (await inspect(client, "third-time")).State.Status, { timeout: 15_000 }).toBe("running");
  expect((await inspect(client, "third-time")).RestartCount).toBe(0);
  await expect.poll(() => inspect(client, "temporary").then(() => "there", String), { timeout: 15_000 }).toContain("No such container: temporary");
  // dockerd starts it: the exit code of its stop is a failure. Its documentation says it does not.
  expect((await inspect(client, "byhand")).State.Status).toBe("exited");
});

test("who acts as soon as a new engine is there finds its starter image, and who deletes it has deleted it", async () => {
  const isolate = `slipway-rw${process.pid}`;
  const first = await startEngine({ isolate, root: place("first") });
  const id = await create(clientOf(first), { Image: "slipway/welcome", Cmd: ["true"] });
  await remove(clientOf(first), id);
  await clientOf(first).json("DELETE", "/images/slipway/welcome");
  await first.stop();
  await using next = await startEngine({ isolate, root: place("first") });
  expect(await clientOf(next).json("GET", "/images/json")).toEqual([]);
});

test("a second engine on the same root is refused and the first goes on", async () => {
  await using rig = await openRig("r2", { root: place("two") });
  await expect(startEngine({ isolate: rig.netns, root: rig.program.root })).rejects.toThrow(/another engine/);
  expect(await rig.client.json("GET", "/info")).toMatchObject({ Containers: 0 });
});

/** The fourth run lasts, the others end at once; all of them fail. */
const steadyOnce = "n=$(($(cat /runs 2> /dev/null || echo 0) + 1)); echo $n > /runs; [ $n != 4 ] || sleep 10.5; exit 1";

test("a container that fails again and again is started later each time, until it ran for ten seconds", async () => {
  await using rig = await openRig("rb", { root: place("backoff"), args: ["--debug"] });
  const { client } = rig;
  const id = await run(client, { name: "backoff", ...sh(steadyOnce), HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 5 } } });
  expect(await wait(client, id)).toBe(1);
  const { body } = await client.stream("GET", "/slipway/log");
  const told = new RegExp(`${id} ended after (\\d+) ms: its policy starts it again in (\\d+) ms`, "g");
  const delays = [
    ...Buffer.concat(await body.toArray())
      .toString()
      .matchAll(told),
  ].map(([, ranMs, delayMs]) => ({ steady: Number(ranMs) >= 10_000, delayMs: Number(delayMs) }));
  expect(delays).toEqual([
    { steady: false, delayMs: 100 },
    { steady: false, delayMs: 200 },
    { steady: false, delayMs: 400 },
    { steady: true, delayMs: 100 },
    { steady: false, delayMs: 200 },
  ]);
  expect((await inspect(client, id)).RestartCount).toBe(5);
  await remove(client, id);
});
