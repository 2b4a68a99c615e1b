/** What of the build cache goes, and what stays, by the stock clients. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("prune");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

interface Usage {
  readonly ID: string;
  readonly Description: string;
  readonly Size: string;
  readonly Shared: string;
}
/** Least recently used first. */
const usage = async (): Promise<Usage[]> => {
  const { BuildCache } = JSON.parse(await rig.docker.ok("system", "df", "-v", "--format", "{{json .}}")) as { BuildCache: Usage[] | null };
  return BuildCache ?? [];
};
/** The file that each step left, by what was run. */
const kept = async (): Promise<string[]> => (await usage()).map(({ Description }) => /\/[a-z]+$/.exec(Description)?.[0] ?? Description);
const step = (name: string): string => `RUN head -c 200000 /dev/urandom > /${name}`;

beforeEach(async () => {
  await rig.docker.ok("builder", "prune", "-af");
  for (const name of ["one", "two", "three"]) await rig.build({ Dockerfile: `FROM busybox\n${step(name)}\n` }, "-o", "type=cacheonly");
});

test("so much may stay, what was used last first", async () => {
  expect(await kept()).toEqual(["/one", "/two", "/three"]);
  await rig.docker.ok("builder", "prune", "-f", "--keep-storage", "450KB");
  expect(await kept()).toEqual(["/two", "/three"]);
  // Used again it is the youngest.
  await rig.build({ Dockerfile: `FROM busybox\n${step("two")}\n` }, "-o", "type=cacheonly");
  await rig.docker.ok("builder", "prune", "-f", "--keep-storage", "250KB");
  expect(await kept()).toEqual(["/two"]);
});

test("what an image has stays, until all is asked for", async () => {
  await rig.build({ Dockerfile: `FROM busybox\n${step("two")}\n` }, "-t", "shared:1");
  expect(await rig.docker.ok("builder", "prune", "-f")).toMatch(/Total:\s+40\d\.\d+kB/);
  expect(await kept()).toEqual(["/two"]);
  await rig.docker.ok("builder", "prune", "-af");
  expect(await kept()).toEqual([]);
  expect(await rig.docker.ok("run", "--rm", "shared:1", "sh", "-c", "wc -c < /two")).toBe("200000");
  await rig.docker.ok("rmi", "shared:1");
});

test("only what a filter names goes", async () => {
  await rig.build({ Dockerfile: "FROM busybox\nRUN --mount=type=cache,target=/c,id=filtered head -c 300000 /dev/zero > /c/f\n" }, "-o", "type=cacheonly");
  await rig.docker.ok("builder", "prune", "-f", "--filter", "until=24h");
  expect(await kept()).toHaveLength(5);
  await rig.docker.ok("buildx", "prune", "-f", "--filter", "type=exec.cachemount");
  expect(await kept()).toEqual(["/one", "/two", "/three", "/f"]);
  const [first] = await usage();
  await rig.docker.ok("builder", "prune", "-f", "--filter", `id=${first?.ID ?? ""}`);
  expect(await kept()).toEqual(["/two", "/three", "/f"]);
  await rig.docker.ok("builder", "prune", "-f", "--filter", `description=${step("three")}`);
  expect(await kept()).toEqual(["/two", "/f"]);
  const refused = await rig.docker("builder", "prune", "-f", "--filter", "wat=x");
  expect(refused.stderr).toContain("invalid filter 'wat'");
  await rig.docker.ok("builder", "prune", "-f", "--filter", "unused-for=1ms");
  expect(await kept()).toEqual([]);
});

test("the same is built anew, and is there again, when its record went", async () => {
  const built = async (): Promise<string> => (await rig.build({ Dockerfile: `FROM busybox\n${step("one")}\n` }, "-o", "type=cacheonly")).stderr;
  expect(await built()).toContain("CACHED");
  await rig.docker.ok("builder", "prune", "-af");
  expect(await built()).not.toContain("CACHED");
  expect(await kept()).toEqual(["/one"]);
});
