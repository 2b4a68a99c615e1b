import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { type Rig, create, events, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("lc");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const list = (filters: Record<string, string[]>, all = 1): Promise<ContainerSummary[]> =>
  client.json("GET", "/containers/json", { query: { all, filters: JSON.stringify(filters) } });
const status = async (id: string): Promise<string> => (await inspect(client, id)).State.Status;

describe("waiting", () => {
  test("a container that never ran is not running: its wait answers at once", async () => {
    const id = await create(client, { Cmd: ["true"] });
    expect(await wait(client, id)).toBe(0);
    await remove(client, id);
  });

  test("next-exit asked for before the start sees the exit, and the log is whole by then", async () => {
    const id = await create(client, sh("for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; exit 7"));
    const exit = wait(client, id, "next-exit");
    await client.call("POST", `/containers/${id}/start`);
    expect(await exit).toBe(7);
    expect((await logs(client, id)).stdout.trim().split("\n")).toHaveLength(9);
    await remove(client, id);
  });

  test("removed is answered when an auto-removed container is gone", async () => {
    const id = await create(client, { ...sh("exit 3"), HostConfig: { AutoRemove: true } });
    const gone = wait(client, id, "removed");
    await client.call("POST", `/containers/${id}/start`);
    expect(await gone).toBe(3);
    await expect(inspect(client, id)).rejects.toMatchObject({ class: "notFound" });
  });

  test("who waits for a container that is removed by force is answered", async () => {
    const id = await run(client, { Cmd: ["sleep", "100"] });
    const waits = ["not-running", "next-exit", "removed"].map((condition) => wait(client, id, condition));
    await remove(client, id);
    expect(await Promise.all(waits)).toEqual([137, 137, 137]);
  });
});

describe("states", () => {
  test("a container goes created, running, paused, running, exited, and says when", async () => {
    const id = await create(client, { Cmd: ["sleep", "100"] });
    expect((await inspect(client, id)).State).toMatchObject({ Status: "created", Running: false, Pid: 0, StartedAt: "0001-01-01T00:00:00Z" });
    await client.call("POST", `/containers/${id}/start`);
    const running = (await inspect(client, id)).State;
    expect(running).toMatchObject({ Status: "running", Running: true, Paused: false, FinishedAt: "0001-01-01T00:00:00Z" });
    expect(running.Pid).toBeGreaterThan(1);
    await expect(client.call("POST", `/containers/${id}/start`)).rejects.toMatchObject({ class: "notModified" });
    await client.call("POST", `/containers/${id}/pause`);
    expect((await inspect(client, id)).State).toMatchObject({ Status: "paused", Running: true, Paused: true });
    await expect(client.call("POST", `/containers/${id}/exec`, { json: { Cmd: ["true"] } })).rejects.toMatchObject({ class: "conflict" });
    await client.call("POST", `/containers/${id}/unpause`);
    await client.call("POST", `/containers/${id}/kill`, { query: { signal: "SIGINT" } });
    await client.call("POST", `/containers/${id}/stop`, { query: { t: 0 } });
    const ended = (await inspect(client, id)).State;
    expect(ended).toMatchObject({ Status: "exited", Running: false, ExitCode: 137, Pid: 0 });
    expect(ended.FinishedAt > ended.StartedAt).toBe(true);
    await expect(client.call("POST", `/containers/${id}/stop`)).rejects.toMatchObject({ class: "notModified" });
    await remove(client, id);
  });

  test("a paused container can be killed and removed", async () => {
    const id = await run(client, { Cmd: ["sleep", "100"] });
    await client.call("POST", `/containers/${id}/pause`);
    await remove(client, id);
    await expect(inspect(client, id)).rejects.toMatchObject({ class: "notFound" });
  });

  test("the stop signal and its timeout are the container's own", async () => {
    const id = await run(client, { ...sh("trap 'echo got usr1; exit 5' USR1; echo up; while :; do sleep 0.1; done"), StopSignal: "SIGUSR1", StopTimeout: 20 });
    await expect.poll(() => logs(client, id)).toMatchObject({ stdout: "up\n" });
    await client.call("POST", `/containers/${id}/stop`);
    expect((await inspect(client, id)).State.ExitCode).toBe(5);
    expect((await logs(client, id)).stdout).toContain("got usr1");
    await remove(client, id);
  });

  test("a start that fails leaves its reason and the shell's exit code, and the container can be started again", async () => {
    const id = await create(client, { Cmd: ["no-such-program"] });
    await expect(client.call("POST", `/containers/${id}/start`)).rejects.toMatchObject({
      class: "invalidArgument",
      message: expect.stringContaining("executable file not found in $PATH") as string,
    });
    expect((await inspect(client, id)).State).toMatchObject({ Status: "created", ExitCode: 127 });
    await expect(client.call("POST", `/containers/${id}/start`)).rejects.toMatchObject({ message: expect.stringContaining("no-such-program") as string });
    await remove(client, id);
  });

  test("twenty starts, stops and removals of one container at the same time end in one of its states", async () => {
    const id = await create(client, { Cmd: ["sleep", "100"] });
    const acts = Array.from({ length: 20 }, (_, i) =>
      client.call("POST", `/containers/${id}/${i % 2 === 0 ? "start" : "stop?t=0"}`).catch((error: unknown) => error),
    );
    await Promise.all(acts);
    expect(["running", "exited"]).toContain(await status(id));
    await Promise.allSettled(Array.from({ length: 5 }, () => remove(client, id)));
    await expect(inspect(client, id)).rejects.toMatchObject({ class: "notFound" });
  });
});

describe("names", () => {
  test("a name belongs to one container, and is free again after rename and removal", async () => {
    const first = await create(client, { name: "taken", Cmd: ["true"] });
    await expect(create(client, { name: "taken", Cmd: ["true"] })).rejects.toMatchObject({
      class: "conflict",
      message: expect.stringContaining(`"/taken" is already in use by container "${first}"`) as string,
    });
    await client.call("POST", `/containers/${first}/rename`, { query: { name: "moved" } });
    const second = await create(client, { name: "taken", Cmd: ["true"] });
    expect((await inspect(client, "moved")).Id).toBe(first);
    expect((await inspect(client, second.slice(0, 12))).Name).toBe("/taken");
    await remove(client, "moved");
    await remove(client, "taken");
  });

  test("many creations at once under one name: one of them has it", async () => {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => create(client, { name: "race", Cmd: ["true"] })));
    expect(tries.filter(({ status: outcome }) => outcome === "fulfilled")).toHaveLength(1);
    await remove(client, "race");
  });
});

describe("restarts", () => {
  test("on-failure gives up after its count", async () => {
    const id = await run(client, { ...sh("exit 4"), HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } });
    expect(await wait(client, id)).toBe(4);
    expect(await inspect(client, id)).toMatchObject({ RestartCount: 2, State: { Status: "exited", ExitCode: 4 } });
    await remove(client, id);
  });

  test("always comes up again, until it is stopped by hand", async () => {
    const id = await run(client, { ...sh("sleep 0.2"), HostConfig: { RestartPolicy: { Name: "always" } } });
    await expect.poll(async () => (await inspect(client, id)).RestartCount, { timeout: 20_000 }).toBeGreaterThan(1);
    await client.call("POST", `/containers/${id}/stop`, { query: { t: 0 } }).catch(() => undefined);
    const count = (await inspect(client, id)).RestartCount;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await inspect(client, id)).toMatchObject({ RestartCount: count, State: { Status: "exited" } });
    await remove(client, id);
  });

  test("a restart by hand keeps an auto-removed container", async () => {
    const id = await run(client, { Cmd: ["sleep", "100"], HostConfig: { AutoRemove: true } });
    await client.call("POST", `/containers/${id}/restart`, { query: { t: 0 } });
    expect(await status(id)).toBe("running");
    await remove(client, id);
  });
});

describe("what is told", () => {
  test("events tell of a run in order, with name, image and labels", async () => {
    const watching = events(client, { type: ["container", "network"] });
    await watching.ready;
    const id = await create(client, { name: "told", ...sh("exit 2"), Labels: { tier: "front" }, HostConfig: { AutoRemove: true } });
    const gone = wait(client, id, "removed");
    await client.call("POST", `/containers/${id}/start`);
    await gone;
    await expect
      .poll(() => watching.seen.map(({ Type, Action }) => `${Type} ${Action}`))
      .toEqual(["container create", "network connect", "container start", "container die", "network disconnect", "container destroy"]);
    const die = watching.seen.find(({ Action }) => Action === "die");
    expect(die?.Actor).toMatchObject({ ID: id, Attributes: { name: "told", image: "busybox", tier: "front", exitCode: "2" } });
    watching.stop();
  });

  test("lists filter by state, name, label, exit code, image, volume and network", async () => {
    const up = await run(client, { name: "list-up", Cmd: ["sleep", "100"], Labels: { set: "list", n: "1" }, HostConfig: { Binds: ["listvol:/v"] } });
    const down = await run(client, { name: "list-down", ...sh("exit 9"), Labels: { set: "list", n: "2" } });
    await wait(client, down);
    const ids = async (filters: Record<string, string[]>, all?: number): Promise<string[]> =>
      (await list({ label: ["set=list"], ...filters }, all)).map(({ Id }) => Id);
    expect(await ids({})).toEqual([down, up]);
    expect(await ids({}, 0)).toEqual([up]);
    expect(await ids({ status: ["exited"] }, 0)).toEqual([down]);
    expect(await ids({ name: ["^/list-u"] })).toEqual([up]);
    expect(await ids({ id: [up.slice(0, 10)] })).toEqual([up]);
    expect(await ids({ label: ["set=list", "n=2"] })).toEqual([down]);
    expect(await ids({ exited: ["9"] })).toEqual([down]);
    expect(await ids({ ancestor: ["busybox"] })).toEqual([down, up]);
    expect(await ids({ ancestor: ["nobody"] })).toEqual([]);
    expect(await ids({ volume: ["listvol"] })).toEqual([up]);
    expect(await ids({ network: ["bridge"] })).toEqual([down, up]);
    expect(await ids({ before: [down] })).toEqual([up]);
    expect(await client.json<ContainerSummary[]>("GET", "/containers/json", { query: { limit: 1 } })).toMatchObject([{ Id: down }]);
    await remove(client, up);
    await remove(client, down);
    await client.call("DELETE", "/volumes/listvol");
  });

  test("prune removes what does not run, and says so", async () => {
    const up = await run(client, { Cmd: ["sleep", "100"], Labels: { set: "prune" } });
    const down = await create(client, { Cmd: ["true"], Labels: { set: "prune" } });
    const pruned = await client.json("POST", "/containers/prune", { query: { filters: JSON.stringify({ label: ["set=prune"] }) } });
    expect(pruned).toMatchObject({ ContainersDeleted: [down] });
    expect(await status(up)).toBe("running");
    await remove(client, up);
  });

  test("a health check goes from starting to healthy to unhealthy", async () => {
    const Healthcheck = { Test: ["CMD-SHELL", "echo checked; test -e /tmp/ok"], Interval: 200_000_000, Retries: 2 };
    const id = await run(client, { ...sh("touch /tmp/ok; sleep 100"), Healthcheck });
    await expect.poll(async () => (await inspect(client, id)).State.Health?.Status, { timeout: 15_000 }).toBe("healthy");
    expect((await list({ id: [id] }))[0]?.Status).toContain("(healthy)");
    const exec = await client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json: { Cmd: ["rm", "/tmp/ok"] } });
    await client.call("POST", `/exec/${exec.Id}/start`, { json: { Detach: true } });
    await expect.poll(async () => (await inspect(client, id)).State.Health?.Status, { timeout: 15_000 }).toBe("unhealthy");
    expect((await inspect(client, id)).State.Health?.Log?.[0]).toMatchObject({ Output: "checked\n" });
    await remove(client, id);
  });

  test("a paused container is not checked, and goes on as healthy as it was", async () => {
    const id = await run(client, { ...sh("sleep 100"), Healthcheck: { Test: ["CMD", "true"], Interval: 50_000_000, Retries: 1 } });
    const probes = async (): Promise<string[]> => ((await inspect(client, id)).State.Health?.Log ?? []).map(({ Start }) => Start);
    await expect.poll(async () => (await inspect(client, id)).State.Health?.Status, { timeout: 15_000 }).toBe("healthy");
    const happened = events(client, { container: [id] });
    await happened.ready;
    for (let i = 0; i < 5; i += 1) {
      await client.call("POST", `/containers/${id}/pause`);
      // Several intervals in which a check could come.
      await delay(200);
      const before = await probes();
      await client.call("POST", `/containers/${id}/unpause`);
      await expect.poll(async () => (await probes()).at(-1), { timeout: 15_000 }).not.toBe(before.at(-1));
    }
    happened.stop();
    expect(happened.seen.map(({ Action }) => Action).filter((action) => action.startsWith("health_status"))).toEqual([]);
    expect((await inspect(client, id)).State.Health).toMatchObject({ Status: "healthy", FailingStreak: 0 });
    await remove(client, id);
  });
});

test.each(["1.24", "1.41", "1.44", "1.47", "1.51"])("a client of API %s gets what it knows", async (version) => {
  const old = new EngineClient({ kind: "socket", path: rig.program.socket }, { version });
  const id = await create(old, { Cmd: ["true"] });
  const shown = await inspect(old, id);
  expect("ImageManifestDescriptor" in shown).toBe(version === "1.51");
  expect("FirewallBackend" in (await old.json<Record<string, unknown>>("GET", "/info"))).toBe(version === "1.51");
  await old.call("POST", `/containers/${id}/start`);
  expect(await wait(old, id)).toBe(0);
  await remove(old, id);
});
