/** BuildKit behind `POST /build?version=2`, as libraries drive it: dockerode unchanged, and what older clients of Docker ask besides. */
import { createReadStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BuildDetails, BuildSummary, PostedMessage } from "#api/builds.ts";
import { EngineClient } from "#client/client.ts";
import { busybox, tarOf } from "../fixtures/image.ts";
import { startRegistry, type TestRegistry } from "../fixtures/registry.ts";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

/** Of `user` with the password `pass`. */
const htpasswd = "user:$2b$05$dYvDWBLgGwNdQdY6PRR3.uJLGholZR7YCiFR5IVr890uJSh6RwyVK\n";
let rig: BuildRig;
let api: Docker;
let client: EngineClient;
let guarded: TestRegistry;

beforeAll(async () => {
  rig = await openBuildRig("post");
  const socketPath = join(rig.root, "docker.sock");
  api = new Docker({ socketPath });
  client = new EngineClient({ kind: "socket", path: socketPath });
  const dir = join(rig.dir, "guarded");
  mkdirSync(dir);
  writeFileSync(join(dir, "htpasswd"), htpasswd);
  guarded = await startRegistry({ dir, port: 5001, netns: rig.netns, htpasswd: join(dir, "htpasswd"), login: "user:pass" });
  await guarded.push("base", "1", await busybox("base:1"));
});
afterAll(async () => {
  await guarded?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

const context = (dockerfile: string): Promise<Buffer> =>
  tarOf([
    { name: "Dockerfile", data: dockerfile },
    { name: "f", data: "one\n" },
  ]);
const cat = (image: string, ...paths: readonly string[]): Promise<string> => rig.docker.ok("run", "--rm", image, "cat", ...paths);

/** What dockerode's BuildKit says of a build, its messages decoded. */
async function dockerode(dockerfile: string, options: Docker.ImageBuildOptions = {}): Promise<string> {
  const path = join(rig.dir, "context.tar");
  writeFileSync(path, await context(dockerfile));
  const stream = await api.buildImage(createReadStream(path), { version: "2", ...options });
  const { followProgress } = api as unknown as { followProgress: typeof api.modem.followProgress };
  const said = await new Promise<object[]>((done) => followProgress.call(api, stream, (_: unknown, messages: object[]) => done(messages)));
  return JSON.stringify(said);
}

async function* sent(tar: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(tar);
}

async function posted(query: Record<string, string | number>, tar: Uint8Array, signal?: AbortSignal): Promise<PostedMessage[]> {
  const { body } = await client.stream("POST", "/build", { query: { version: 2, ...query }, body: sent(tar), ...(signal === undefined ? {} : { signal }) });
  const text = Buffer.concat(await body.toArray())
    .toString()
    .trim();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as PostedMessage);
}

test("dockerode opens a session, builds with what only BuildKit has, and follows it", async () => {
  const said = await dockerode("FROM busybox\nCOPY --chmod=640 f /f\nRUN --mount=type=tmpfs,target=/t <<E\necho said > /said\nE\n", { t: "rode:1" });
  expect(said).toContain("[2/3] COPY --chmod=640 f /f");
  const id = await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", "rode:1");
  expect(said).toContain(id);
  expect(await cat("rode:1", "/f", "/said")).toBe("one\nsaid");
  expect((await client.json<{ state: string }[]>("GET", "/slipway/builds"))[0]).toMatchObject({ state: "done", options: { tags: ["rode:1"] } });
});

test("the history tells for which steps the build had to wait", async () => {
  const stages = "FROM busybox AS slow\nRUN sleep 2; touch /slow\nFROM busybox AS quick\nRUN touch /quick\nFROM busybox\nCOPY --from=slow /slow /\n";
  await posted({ t: "waited:1", nocache: 1 }, await context(`${stages}COPY --from=quick /quick /\n`));
  const [latest] = await client.json<BuildSummary[]>("GET", "/slipway/builds");
  const { updates, criticalPath } = await client.json<BuildDetails>("GET", `/slipway/builds/${latest?.ref}`);
  const names = new Map(updates.flatMap(({ steps }) => steps.map(({ id, name }) => [id, name])));
  const waited = criticalPath.map((id) => names.get(id));
  expect(waited).toEqual(expect.arrayContaining([expect.stringContaining("RUN sleep 2"), expect.stringContaining("COPY --from=quick")]));
  expect(waited).not.toEqual(expect.arrayContaining([expect.stringContaining("RUN touch /quick")]));
});

test("a build of the classic builder is in the same history: its steps, what they said, where and why it failed, and that it was given up", async () => {
  const newest = async (): Promise<BuildDetails> => {
    const [latest] = await client.json<BuildSummary[]>("GET", "/slipway/builds");
    return await client.json<BuildDetails>("GET", `/slipway/builds/${latest?.ref}`);
  };
  const file = "FROM busybox\nARG WHO\nRUN echo hello $WHO\n";
  await posted({ version: 1, t: "classic:1", buildargs: JSON.stringify({ WHO: "world" }) }, await context(file));
  const built = await newest();
  expect(built).toMatchObject({ state: "done", options: { tags: ["classic:1"], args: { WHO: "world" } } });
  const steps = new Map(built.updates.flatMap((update) => update.steps).map((step) => [step.id, step]));
  const ran = [...steps.values()].find(({ name }) => name.endsWith("RUN echo hello $WHO"));
  expect(ran?.completed).toBeDefined();
  expect(
    built.updates
      .flatMap(({ logs }) => logs)
      .filter(({ step }) => step === ran?.id)
      .map(({ text }) => text)
      .join(""),
  ).toContain("hello world");
  await posted({ version: 1, t: "classic:1", buildargs: JSON.stringify({ WHO: "world" }) }, await context(file));
  expect((await newest()).steps.cached).toBeGreaterThan(0);
  await posted({ version: 1 }, await context("FROM busybox\nRUN nosuchprogram\n"));
  const failed = await newest();
  expect(failed).toMatchObject({ state: "failed", source: { filename: "Dockerfile", start: 2, end: 2 } });
  const why = await client.json<{ Explanation: object }>("GET", `/slipway/builds/${failed.ref}/why`);
  expect(why.Explanation).toMatchObject({ Rule: "command-not-found" });
  const leave = new AbortController();
  const left = posted({ version: 1 }, await context("FROM busybox\nRUN sleep 100\n"), leave.signal).catch(() => undefined);
  await expect.poll(async () => (await newest()).state).toBe("running");
  leave.abort();
  await left;
  await expect.poll(async () => (await newest()).state).toBe("cancelled");
});

test("a failure comes as its last message", async () => {
  expect(await dockerode("FROM busybox\nRUN exit 7\n")).toContain('"error":"process \\"/bin/sh -c exit 7\\" did not complete successfully: exit code: 7"');
  expect(await dockerode("NONSENSE\n")).toContain('"error":"dockerfile parse error on line 1: unknown instruction: NONSENSE"');
});

test("a registry that asks who is there hears it from the session, which did not say what it offers", async () => {
  const dockerfile = `FROM ${guarded.address}/base:1\nRUN echo in > /in\n`;
  expect(await dockerode(dockerfile)).toContain("failed to resolve source metadata");
  const authconfig = { username: "user", password: "pass", serveraddress: guarded.address };
  await dockerode(dockerfile, { t: "guarded:1", authconfig });
  expect(await cat("guarded:1", "/in")).toBe("in");
});

test("parameters are those of the classic builder, as BuildKit understands them", async () => {
  const dockerfile =
    "FROM busybox AS one\nARG A\nRUN echo $A > /a; grep -c there /etc/hosts >> /a; ls /sys/class/net | grep -c eth >> /a; ulimit -n >> /a\nFROM one\nRUN exit 1\n";
  const query = {
    ...{ t: "parameters:1", target: "one", buildargs: '{"A":"given"}', labels: '{"l":"1"}', extrahosts: "there:10.1.2.3", networkmode: "none" },
    ...{ ulimits: '[{"Name":"nofile","Soft":1000,"Hard":2000}]', nocache: 1 },
  };
  const told = await posted(query, await context(dockerfile));
  expect(told.at(-1)).toMatchObject({ id: "moby.image.id" });
  expect(await cat("parameters:1", "/a")).toBe("given\n1\n0\n1000");
  expect(await rig.docker.ok("image", "inspect", "-f", "{{json .Config.Labels}}", "parameters:1")).toBe('{"l":"1"}');
});

test("told to be quiet it says the image's id alone", async () => {
  const [only, ...more] = await posted({ q: 1, t: "quiet:1" }, await context("FROM busybox\nRUN true\n"));
  expect(more).toEqual([]);
  expect(only).toEqual({ stream: `${await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", "quiet:1")}\n` });
});

test("a context may come by a request of its own, before or after the build", async () => {
  const tar = await context("FROM busybox\nCOPY f /f\n");
  for (const first of ["build", "upload"]) {
    const build = (): Promise<PostedMessage[]> => posted({ remote: "upload-request", buildid: `up-${first}`, t: `uploaded:${first}` }, new Uint8Array());
    const upload = (): Promise<PostedMessage[]> => posted({ buildid: `upload-request:up-${first}` }, tar);
    const [told] = await Promise.all(first === "build" ? [build(), upload()] : [upload(), build()]);
    if (first === "build") expect(told?.at(-1)).toMatchObject({ id: "moby.image.id" });
    expect(await cat(`uploaded:${first}`, "/f")).toBe("one");
  }
});

test("a build is cancelled by the name that its client gave it", async () => {
  const sleeping = async (): Promise<boolean> => (await rig.docker.inside(["ps", "-eo", "args"])).stdout.split("\n").includes("sleep 7019");
  const building = posted({ buildid: "mine", t: "cancelled:1" }, await context("FROM busybox\nRUN exec sleep 7019\n"));
  await expect.poll(sleeping, { timeout: 60_000 }).toBe(true);
  await client.call("POST", "/build/cancel", { query: { id: "another" } });
  expect(await sleeping()).toBe(true);
  await client.call("POST", "/build/cancel", { query: { id: "mine" } });
  expect((await building).at(-1)).toMatchObject({ error: expect.stringContaining("cancelled") });
  await expect.poll(sleeping, { timeout: 30_000 }).toBe(false);
  expect(await rig.docker.ok("images", "-q", "cancelled")).toBe("");
});

test.each([
  [{ version: 3 }, 'invalid version "3"'],
  [{ networkmode: "container:x" }, 'network mode "container:x" not supported by buildkit'],
  [{ outputs: '[{"Type":"local"},{"Type":"tar"}]' }, "multiple outputs not supported"],
  [{ squash: 1 }, "squash is only supported with experimental mode"],
  [{ session: "nobody" }, "no active session for nobody"],
] as const)("%j is refused in dockerd's words", async (query, words) => {
  await expect(posted(query, await context("FROM busybox\n"))).rejects.toThrow(words);
});

test("a cancel without a name is refused", async () => {
  await expect(client.call("POST", "/build/cancel")).rejects.toThrow("build ID not provided");
});
