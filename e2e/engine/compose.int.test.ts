import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ComposeCheck, ComposeMessage } from "#api/compose.ts";
import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import { openRig, type Rig } from "./rig.ts";

// Projects brought up by the docker compose that the engine has beside it, out of a folder of this computer.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const project = `services:
  db: { image: busybox, init: true, command: [sleep, "3600"], volumes: ["./data:/data", "~/own:/own"], environment: { LEVEL: "\${LEVEL}" } }
  web: { image: busybox, init: true, command: [sleep, "3600"], depends_on: [db] }
`;

/** A service that waits for one that never becomes healthy. */
const waiting = `services:
  db:
    { image: busybox, init: true, command: [sleep, "3600"], healthcheck: { test: ["CMD", "false"], interval: 1h, start_period: 1h } }
  web: { image: busybox, command: ["true"], depends_on: { db: { condition: service_healthy } } }
`;

let rig: Rig;
let source: { Folder: string; Files: string[]; Home: string };

beforeAll(async () => {
  rig = await openRig("compose");
  const folder = join(rig.program.root, "shop");
  mkdirSync(join(folder, "data"), { recursive: true });
  mkdirSync(join(folder, "home/own"), { recursive: true });
  writeFileSync(join(folder, "data/here"), "from the computer\n");
  writeFileSync(join(folder, ".env"), "LEVEL=high\n");
  writeFileSync(join(folder, "compose.yaml"), project);
  source = { Folder: folder, Files: [join(folder, "compose.yaml")], Home: join(folder, "home") };
});
afterAll(async () => {
  if (source !== undefined) await act({ Verb: "down", Volumes: true });
  await rig?.[Symbol.asyncDispose]();
});

async function act(what: object, signal?: AbortSignal): Promise<{ readonly said: string; readonly exit: number | undefined }> {
  const { body } = await rig.client.stream("POST", "/slipway/compose/act", { json: { ...source, ...what }, ...(signal === undefined ? {} : { signal }) });
  let text = "";
  for await (const chunk of body as AsyncIterable<Buffer>) text += chunk.toString();
  const messages = text
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ComposeMessage);
  return {
    said: messages.map((message) => ("line" in message ? message.line : "error" in message ? message.error : "")).join("\n"),
    exit: messages.flatMap((message) => ("exit" in message ? [message.exit] : []))[0],
  };
}
const check = (more: object = {}): Promise<ComposeCheck> => rig.client.json("POST", "/slipway/compose/check", { json: { ...source, ...more } });
const containers = (): Promise<ContainerSummary[]> => rig.client.json("GET", "/containers/json", { query: { all: 1 } });

test("a project comes up with its folder's files, .env and home at their own paths, and its hashes are those on the containers", async () => {
  expect((await act({ Verb: "up", DryRun: true })).said).toContain("Container shop-db-1  Created");
  expect(await containers()).toEqual([]);
  expect(await act({ Verb: "up" })).toMatchObject({ exit: 0, said: expect.stringContaining("Container shop-web-1  Started") });
  const db = await rig.client.json<ContainerInspect>("GET", "/containers/shop-db-1/json");
  expect(db.Config.Env).toContain("LEVEL=high");
  expect(db.Mounts.map(({ Source, Destination }) => `${Source}:${Destination}`).toSorted()).toEqual([
    `${source.Folder}/data:/data`,
    `${source.Folder}/home/own:/own`,
  ]);
  const { hashes, model } = await check();
  expect(model).toMatchObject({ name: "shop", services: { db: { environment: { LEVEL: "high" } } } });
  for (const { Labels } of await containers()) expect(Labels?.["com.docker.compose.config-hash"]).toBe(hashes?.[Labels?.["com.docker.compose.service"] ?? ""]);
});

test("scaling adds containers and leaves those that are there, and taking down removes all", async () => {
  const before = (await containers()).map(({ Id }) => Id);
  expect(await act({ Verb: "scale", Scale: { web: 2 } })).toMatchObject({ exit: 0 });
  const after = (await containers()).map(({ Id }) => Id);
  expect(after).toHaveLength(3);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(await act({ Verb: "down" })).toMatchObject({ exit: 0 });
  expect(await containers()).toEqual([]);
});

test("what is wrong with a file is told in compose's words, also of one that is only typed", async () => {
  const wrong = "services:\n  web:\n    imagee: busybox\n";
  expect(await check({ Typed: true, Text: wrong })).toEqual({ error: "validating -: services.web Additional property imagee is not allowed", warnings: [] });
  const unset = await check({ Typed: true, Text: "services:\n  web:\n    image: busybox:${NOWHERE}\n" });
  expect(unset.warnings).toEqual(['The "NOWHERE" variable is not set. Defaulting to a blank string.']);
  await expect(check({ Files: ["/nowhere/compose.yaml"] })).rejects.toMatchObject({ class: "notFound" });
  await expect(check({ Folder: "shop" })).rejects.toMatchObject({ class: "invalidArgument" });
});

test("an act that its client leaves is interrupted, and no process stays behind", async () => {
  writeFileSync(join(source.Folder, "compose.yaml"), waiting);
  const stop = new AbortController();
  const { body } = await rig.client.stream("POST", "/slipway/compose/act", { json: { ...source, Verb: "up" }, signal: stop.signal });
  let said = "";
  for await (const chunk of body as AsyncIterable<Buffer>) {
    said += chunk.toString();
    if (said.includes("shop-db-1  Waiting")) break;
  }
  stop.abort();
  await vi.waitFor(() => {
    const { stdout } = spawnSync("pgrep", ["-f", `project-directory ${source.Folder}`], { encoding: "utf8" });
    expect(stdout).toBe("");
  }, 30_000);
});
