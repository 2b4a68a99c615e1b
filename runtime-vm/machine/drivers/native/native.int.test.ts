import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { NativeMachine } from "./native.ts";

const repository = resolve(import.meta.dirname, "../../../..");
const signal = AbortSignal.timeout(100_000);
let root: string;
let socket: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-native-"));
  socket = join(root, "docker.sock");
});
afterEach(() => rmSync(root, { recursive: true }));

const daemonFile = (): string => join(root, "daemon.json");
const machine = (): NativeMachine =>
  new NativeMachine({
    socket,
    launch: (config) => ({
      command: join(repository, "node_modules/.bin/node"),
      args: [
        ...[join(repository, "electron/launch/engine.mjs"), "--root", root, "--socket", socket, "--isolate", `slipway-native${process.pid}`],
        ...(config === undefined ? [] : ["--config", config]),
      ],
    }),
    daemonFile: daemonFile(),
    log: () => {},
  });

test("an engine is started, used and ended, and leaves a second machine alone that found it running", async () => {
  await using first = machine();
  await Promise.all([first.start({ signal }), first.start({ signal })]);
  expect(first.status).toMatchObject({ phase: "running", driver: "native" });
  expect(first.status.steps.map(({ name, state }) => [name, state])).toEqual([
    ["engine", "done"],
    ["api", "done"],
  ]);
  const engine = new EngineClient({ kind: "dial", dial: () => first.connect() });
  expect(await engine.json("GET", "/version")).toMatchObject({ ApiVersion: "1.51" });

  await using second = machine();
  await second.start({ signal });
  await second.stop();
  expect(await engine.json("GET", "/version")).toMatchObject({ Os: "linux" });

  await first.stop();
  expect(first.status.phase).toBe("stopped");
  await expect(first.connect()).rejects.toMatchObject({ class: "unavailable" });
  await first.start({ signal });
  expect(await engine.json("GET", "/version")).toMatchObject({ Os: "linux" });
});

test("an engine follows its daemon.json while it runs, and a broken one is told of and changes nothing", async () => {
  writeFileSync(daemonFile(), '{"labels": ["from=start"]}');
  await using first = machine();
  await first.start({ signal });
  const engine = new EngineClient({ kind: "dial", dial: () => first.connect() });
  const labels = async (): Promise<unknown> => (await engine.json<{ Labels: unknown }>("GET", "/info")).Labels;
  expect(await labels()).toEqual(["from=start"]);
  writeFileSync(daemonFile(), '{"labels": ["from=change"]}');
  await expect.poll(labels, { timeout: 20_000 }).toEqual(["from=change"]);
  writeFileSync(daemonFile(), '{"labels": [');
  await expect
    .poll(() => first.status.notices, { timeout: 20_000 })
    .toEqual([expect.stringMatching(/^daemon\.json: the engine goes on as before: .*line 1, column 13/)]);
  expect(await labels()).toEqual(["from=change"]);
});

test("an engine that cannot start fails the step with its own last words, and can be started once that is mended", async () => {
  await using broken = new NativeMachine({
    socket,
    launch: () => ({ command: "/bin/sh", args: ["-c", "echo no disk in this machine >&2; exit 3"] }),
    log: () => {},
  });
  await expect(broken.start({ signal })).rejects.toMatchObject({ class: "unavailable", message: expect.stringContaining("no disk in this machine") as string });
  expect(broken.status).toMatchObject({ phase: "failed" });
  await using nobody = new NativeMachine({ socket, log: () => {} });
  await expect(nobody.start({ signal })).rejects.toMatchObject({ message: expect.stringContaining(`no engine answers at ${socket}`) as string });
});
