import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("bc");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const twoStages = {
  Dockerfile:
    "FROM busybox AS work\nCOPY f /f\nRUN head -c 8 /dev/urandom | od -An -tx1 > /worked\nFROM busybox\nENV A=b\nRUN head -c 8 /dev/urandom | od -An -tx1 > /made\nCOPY --from=work /worked /worked\nWORKDIR /\n",
  f: "one",
};
const read = (image: string): Promise<string> => rig.docker.ok("run", "--rm", image, "cat", "/made", "/worked");

/** Nothing of it is here any more, neither as an image nor in the cache. */
async function forget(image: string): Promise<void> {
  await rig.docker.ok("image", "rm", image);
  await rig.docker.ok("builder", "prune", "-af");
}

const cached = (log: string): string[] => [...log.matchAll(/#(\d+) CACHED/g)].map(([, number]) => number ?? "");

test.each([
  ["registry", () => [`type=registry,ref=${rig.registry}/cache:max,mode=max`, `type=registry,ref=${rig.registry}/cache:max`]],
  ["local", () => [`type=local,dest=${join(rig.dir, "cache")},mode=max`, `type=local,src=${join(rig.dir, "cache")}`]],
] as const)("a cache of type %s that holds all steps serves an engine that has none", async (_type, options) => {
  const [to = "", from = ""] = options();
  await rig.build(twoStages, "-t", "first", "--cache-to", to);
  const before = await read("first");
  await forget("first");
  const again = await rig.build(twoStages, "-t", "first", "--cache-from", from);
  expect(await read("first")).toBe(before);
  expect(cached(again.stderr)).toHaveLength(5);
  await forget("first");
  await rig.build(twoStages, "-t", "first");
  expect(await read("first")).not.toBe(before);
  await forget("first");
});

test("with mode=min only what is in the image goes along", async () => {
  const ref = `${rig.registry}/cache:min`;
  await rig.build(twoStages, "-t", "least", "--cache-to", `type=registry,ref=${ref},mode=min`);
  const [made] = (await read("least")).split("\n");
  await forget("least");
  await rig.build(twoStages, "-t", "least", "--cache-from", `type=registry,ref=${ref}`);
  const again = (await read("least")).split("\n");
  expect(again[0]).toBe(made);
  await forget("least");
});

test("an image carries its own cache", async () => {
  const name = `${rig.registry}/inline:1`;
  await rig.build(twoStages, "-t", name, "--push", "--cache-to", "type=inline");
  const before = (await read(name)).split("\n");
  await forget(name);
  await rig.build(twoStages, "-t", "inlined", "--cache-from", name);
  expect((await read("inlined")).split("\n")[0]).toBe(before[0]);
  await forget("inlined");
});

test("a cache that is not there is told of, and built without; one that nobody serves is refused", async () => {
  const missing = await rig.build(twoStages, "-t", "without", "--cache-from", `type=registry,ref=${rig.registry}/cache:none`);
  expect(missing.stderr).toMatch(/importing cache manifest from [^\n]*cache:none\n#\d+ ERROR/);
  // The client itself leaves it out where no such service is near.
  const near = ["env", "ACTIONS_CACHE_URL=http://127.0.0.1:1/", "ACTIONS_RUNTIME_TOKEN=x"];
  const refused = await rig.docker.inside([...near, clients.docker, "buildx", "build", "--cache-to", "type=gha", rig.context(twoStages)]);
  expect(refused.stderr).toContain("cache type=gha is kept by a service that this engine does not speak to; use type=registry, local or inline");
});

test("with SOURCE_DATE_EPOCH a build gives the same image again, nothing in it younger", async () => {
  const files = { Dockerfile: "FROM busybox\nWORKDIR /w/x\nRUN echo made > made && mkdir d\nCOPY f /f\nENV A=b\n", f: "one" };
  const epoch = 1_700_000_000;
  const digests: string[] = [];
  for (const number of [1, 2]) {
    const metadata = join(rig.dir, `epoch-${number}.json`);
    await rig.build(files, "--no-cache", "--provenance=false", "--build-arg", `SOURCE_DATE_EPOCH=${epoch}`, "-t", "epoch", "--metadata-file", metadata);
    digests.push((JSON.parse(readFileSync(metadata, "utf8")) as Record<string, string>)["containerimage.digest"] ?? "");
  }
  expect(digests[1]).toBe(digests[0]);
  expect(await rig.docker.ok("image", "inspect", "-f", "{{.Created}}", "epoch")).toBe("2023-11-14T22:13:20Z");
  expect(await rig.docker.ok("run", "--rm", "epoch", "stat", "-c", "%Y", "/w/x/made", "/w/x/d", "/w/x")).toBe(Array(3).fill(String(epoch)).join("\n"));
});

test("the classic builder's --cache-from takes steps from the histories of images that are here, and from nowhere else", async () => {
  const dockerfile = (last: string): string =>
    `FROM busybox\nARG A=1\nENV B=$A\nRUN head -c 8 /dev/urandom > /made\nCOPY f /f\nWORKDIR /w\nRUN head -c 8 /dev/urandom > /${last}\nCMD ["x"]\n`;
  const built = async (last: string, name: string, ...args: readonly string[]): Promise<{ id: string; cached: number }> => {
    const context = rig.context({ Dockerfile: dockerfile(last), f: "1" });
    const said = await rig.docker.inside(["env", "DOCKER_BUILDKIT=0", clients.docker, "build", ...args, "-t", name, context]);
    expect(said.code, said.stderr).toBe(0);
    return { id: await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", name), cached: said.stdout.match(/Using cache/g)?.length ?? 0 };
  };
  const first = await built("last", "histories:1");
  await rig.docker.ok("builder", "prune", "-af");
  expect(await built("last", "histories:2", "--cache-from", "nowhere:1,histories:1")).toEqual({ id: first.id, cached: 7 });
  // What comes before the changed line is as it was.
  const changed = await built("other", "histories:3", "--cache-from", "histories:1");
  expect(changed.cached).toBe(5);
  const layers = async (name: string): Promise<string[]> =>
    JSON.parse(await rig.docker.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", name)) as string[];
  expect((await layers("histories:3")).slice(0, 4)).toEqual((await layers("histories:1")).slice(0, 4));
  // The cache here knows all of it by now, and is not asked.
  expect((await built("last", "histories:4", "--cache-from", "nowhere:1")).cached).toBe(0);
  expect((await built("last", "histories:5")).cached).toBe(7);
});
