import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MachineStatus } from "#api/machine.ts";
import { EngineError } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import type { Settings } from "#bridge/bridge.ts";
import type { HostEvent } from "#bridge/serve.ts";
import type { Machine } from "#machine/machine.ts";
import { dialPath } from "./dial.ts";
import { EngineConnection } from "./engine.ts";
import { type Host, type HostOptions, openHost } from "./host.ts";
import { machineAt } from "./remote.ts";

let dir = "";
let engine: Server;
let engineSocket = "";
const opts = { signal: new AbortController().signal };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "slipway-host-"));
  engineSocket = join(dir, "engine.sock");
  await startEngine();
});
afterEach(async () => {
  await stopEngine();
  rmSync(dir, { recursive: true, force: true });
});

async function startEngine(): Promise<void> {
  engine = createServer((request, response) => {
    response.setHeader("api-version", "1.51");
    response.end(request.url === "/_ping" ? "OK" : JSON.stringify({ url: request.url }));
  }).listen(engineSocket);
  await once(engine, "listening");
}
async function stopEngine(): Promise<void> {
  const closed = new Promise((resolve) => engine.close(resolve));
  engine.closeAllConnections();
  await closed;
}

const open = (given: Partial<HostOptions> = {}): Promise<Host> =>
  openHost({
    root: join(dir, "root"),
    version: "1.2.3",
    mode: "browser",
    dockerConfig: join(dir, "docker"),
    createMachine: () => machineAt(engineSocket),
    log: () => undefined,
    ...given,
  });
const ping = (socket: string): Promise<unknown> =>
  new EngineConnection(() => dialPath(socket)).request({ method: "GET", path: "/_ping" }, opts).then(({ status, body }) => [status, body]);

/** A machine whose steps the test takes: what it is asked is written down. */
function steppedMachine(asked: string[], name = "machine"): Machine & { finishStart(): void } {
  const changed = new Emitter<MachineStatus>();
  let status: MachineStatus = { phase: "stopped", driver: "qemu", accelerator: "tcg", steps: [], notices: [], restarts: 0, logTail: [] };
  let started = Promise.withResolvers<void>();
  const set = (phase: MachineStatus["phase"]): void => changed.fire((status = { ...status, phase }));
  return {
    get status() {
      return status;
    },
    onStatus: (listener) => changed.on(listener),
    async start({ signal }) {
      asked.push(`${name} start`);
      started = Promise.withResolvers();
      set("starting");
      signal.addEventListener("abort", () => started.reject(new EngineError("cancelled", "start was cancelled")), { once: true });
      await started.promise.catch((error: unknown) => {
        set("failed");
        throw error;
      });
      set("running");
    },
    async stop() {
      asked.push(`${name} stop`);
      set("stopped");
    },
    connect: () => dialPath(engineSocket),
    finishStart: () => started.resolve(),
    async [Symbol.asyncDispose]() {
      asked.push(`${name} dispose`);
    },
  };
}

test("an open host serves the docker socket, makes its context, answers its windows, and leaves nothing served", async () => {
  const host = await open();
  await host.start();
  const { socketPath, portHost } = await host.bridge.calls["host.info"](undefined, opts);
  expect(socketPath).toBe(join(dir, "root", "docker.sock"));
  expect(portHost).not.toBe("127.0.0.1");
  expect(await ping(socketPath)).toEqual([200, "OK"]);
  expect(await host.bridge.calls["engine.request"]({ method: "GET", path: "/info?x=1" }, opts)).toMatchObject({ status: 200 });
  expect(await host.bridge.calls["context.status"](undefined, opts)).toEqual({ created: true, current: "default" });
  await host[Symbol.asyncDispose]();
  expect(existsSync(socketPath)).toBe(false);
});

test("quitting gives the docker CLI its former default back", async () => {
  const host = await open();
  await host.bridge.calls["context.use"]({ on: true }, opts);
  expect(readFileSync(join(dir, "docker", "config.json"), "utf8")).toContain("slipway");
  await host[Symbol.asyncDispose]();
  expect(readFileSync(join(dir, "docker", "config.json"), "utf8")).not.toContain("slipway");
});

test("a docker configuration that is broken does not keep the app from opening", async () => {
  const said: string[] = [];
  writeFileSync(join(dir, "docker"), "a file where a folder should be");
  await using host = await open({ log: (line) => said.push(line) });
  expect(host.status.phase).toBe("stopped");
  expect(said[0]).toContain("docker context");
});

test("an engine that goes away is told, and its coming back, too", async () => {
  await using host = await open();
  await host.start();
  const phases: string[] = [];
  const failed = Promise.withResolvers<MachineStatus>();
  const back = Promise.withResolvers<void>();
  host.bridge.onEvent((event: HostEvent) => {
    if (event.name !== "machine") return;
    phases.push(event.value.phase);
    if (event.value.phase === "failed") failed.resolve(event.value);
    if (event.value.phase === "running" && phases.includes("failed")) back.resolve();
  });
  await stopEngine();
  expect((await failed.promise).error?.message).toContain(engineSocket);
  await startEngine();
  await back.promise;
  expect(phases).toContain("running");
}, 30_000);

test("a client that comes while the machine starts waits for it", async () => {
  const machine = steppedMachine([]);
  await using host = await open({ createMachine: () => machine });
  const starting = host.start();
  const answer = ping(join(dir, "root", "docker.sock"));
  let early = true;
  void answer.then(() => (early = machine.status.phase !== "running"));
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  machine.finishStart();
  await starting;
  expect(await answer).toEqual([200, "OK"]);
  expect(early).toBe(false);
});

test("stopping ends a start that is under way, and what comes after waits its turn", async () => {
  const asked: string[] = [];
  await using host = await open({ createMachine: () => steppedMachine(asked) });
  const starting = host.start();
  await new Promise((resolve) => setImmediate(resolve));
  await host.stop();
  await expect(starting).rejects.toMatchObject({ class: "cancelled" });
  expect(asked).toEqual(["machine start", "machine stop"]);
  expect(host.status.phase).toBe("stopped");
});

test("changed memory and processors take effect at a restart, other settings make no new machine", async () => {
  const asked: string[] = [];
  const made: Settings[] = [];
  const machines: ReturnType<typeof steppedMachine>[] = [];
  await using host = await open({
    createMachine: (settings) => {
      made.push(settings);
      const machine = steppedMachine(asked, `machine ${made.length}`);
      machines.push(machine);
      return machine;
    },
  });
  const restart = async (): Promise<void> => {
    const restarting = host.bridge.calls["machine.restart"](undefined, opts);
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    machines.at(-1)?.finishStart();
    await restarting;
  };
  await host.bridge.calls["settings.set"]({ theme: "dark" }, opts);
  await restart();
  expect(made).toHaveLength(1);
  await host.bridge.calls["settings.set"]({ memoryMiB: 1000 }, opts);
  await restart();
  expect(made.map((settings) => settings.memoryMiB)).toEqual([expect.any(Number), 1000]);
  expect(asked).toEqual(["machine 1 stop", "machine 1 start", "machine 1 stop", "machine 1 dispose", "machine 2 start"]);
});

test("erasing deletes what the machine keeps and starts it anew; data that is not the machine's is refused", async () => {
  const asked: string[] = [];
  const machine = steppedMachine(asked);
  await using host = await open({ createMachine: () => Object.assign(machine, { erase: async () => void asked.push("erase") }) });
  const erasing = host.bridge.calls["machine.erase"](undefined, opts);
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  machine.finishStart();
  await erasing;
  expect(asked).toEqual(["erase", "machine start"]);
  await using other = await open({ root: join(dir, "other") });
  await expect(other.bridge.calls["machine.erase"](undefined, opts)).rejects.toMatchObject({ class: "notImplemented" });
});

test("diagnostics pass on a healthy host, and name what is wrong with what to do", async () => {
  await using host = await open();
  await host.start();
  const run = () => host.bridge.calls["diagnostics.run"](undefined, opts);
  const healthy = await run();
  expect(healthy.map(({ name, result }) => [name, result])).toEqual(
    expect.arrayContaining([
      ["engine", "pass"],
      ["socket", "pass"],
      ["context", "pass"],
      ["acceleration", "pass"],
      ["settings", "pass"],
    ]),
  );
  await host.stop();
  const stopped = await run();
  for (const name of ["engine", "socket"]) expect(stopped.find((check) => check.name === name)).toMatchObject({ result: "fail", fix: "Start the machine." });
});

test("a second Slipway on the same root is refused and names the socket", async () => {
  await using host = await open();
  await expect(open()).rejects.toMatchObject({ class: "conflict", message: expect.stringContaining("docker.sock") as string });
  await host.start();
  expect(host.status.phase).toBe("running");
});

test("a repair makes the machine anew when its engine does not answer, and the docker context when it is gone", async () => {
  await using host = await open();
  await host.start();
  const { calls } = host.bridge;
  expect(await calls["machine.repair"](undefined, opts)).toEqual([]);
  await stopEngine();
  rmSync(join(dir, "docker", "contexts"), { recursive: true });
  await startEngine();
  await host.stop();
  expect(await calls["machine.repair"](undefined, opts)).toEqual(["context", "machine"]);
  expect(host.status.phase).toBe("running");
  expect((await calls["context.status"](undefined, opts)).created).toBe(true);
});

test("a repair that fails at one thing does the others, and says what failed", async () => {
  await using host = await open();
  await stopEngine();
  rmSync(join(dir, "docker", "contexts"), { recursive: true });
  const { calls } = host.bridge;
  await expect(calls["machine.repair"](undefined, opts)).rejects.toMatchObject({ class: "unavailable", message: expect.stringContaining("no engine answers") });
  expect((await calls["context.status"](undefined, opts)).created).toBe(true);
  await startEngine();
});
