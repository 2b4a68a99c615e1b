import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { type Result, type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";
import { askBuild, type BuildAnswer, type Builder, buildersOf, keyOf } from "./build.ask.ts";
import { type BuildCase, buildCases } from "./build.cases.ts";

const { answers } = JSON.parse(readFileSync(join(import.meta.dirname, "dockerd-28.5.builds.json"), "utf8")) as {
  readonly answers: Readonly<Record<string, BuildAnswer>>;
};

/** Where ours is not dockerd's answer, and why. */
const known: Readonly<Record<string, { reason: string; differs: (keyof BuildAnswer)[] }>> = {
  "RUN of what is not there (buildkit)": { reason: "ours says what was not there", differs: ["error"] },
  "RUN as another user in a directory (buildkit)": { reason: "a directory that was there already is no layer", differs: ["layers"] },
  "labels of the command line (buildkit)": { reason: "a step that wrote nothing is no layer", differs: ["layers"] },
  "an empty RUN (buildkit)": { reason: "a step that wrote nothing is no layer", differs: ["layers"] },
  "COPY into a file's place (classic)": { reason: "both builders say the same here", differs: ["error"] },
  "a mount of an earlier stage by its number (buildkit)": { reason: "no image either; a failed look-up of a name is told in other words", differs: ["error"] },
  "a step with more rights without leave (buildkit)": { reason: "the frontend of 28.5 has --security only in its labs", differs: ["error"] },
  "COPY with parents (buildkit)": {
    reason: "the frontend of 28.5 has --parents only in its labs",
    differs: ["code", "error", "history", "config", "layers", "files"],
  },
};

const live = process.env.SLIPWAY_TEST_REFERENCE === "1";
let reference: ReferenceDockerd | undefined;
let engine: Program;
let docker: StockDocker;
let dir: string;
beforeAll(async () => {
  const netns = `slipway-b${process.pid}`;
  engine = await startEngine({ isolate: netns });
  docker = stockDocker({ socket: engine.socket, netns });
  dir = mkdtempSync(join(tmpdir(), "build-"));
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  if (!live) return;
  reference = await startReferenceDockerd();
  await stockDocker({ socket: reference.socket }).ok("load", "-i", join(dir, "image.tar"));
});
afterAll(async () => {
  await reference?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
  await engine?.[Symbol.asyncDispose]();
});

/** What the reference says now, or said when it was asked. */
const expectedOf = async (key: string, one: BuildCase, builder: Builder): Promise<BuildAnswer | undefined> =>
  reference === undefined ? answers[key] : await askBuild(stockDocker({ socket: reference.socket }), one, builder);

/** In the short run a case that is for both builders is built by one of them, every other by the other. */
const chosen = (builders: readonly Builder[], index: number): readonly Builder[] =>
  !live && process.env.SLIPWAY_TEST_LONG !== "1" && builders.length > 1 ? builders.filter((_, i) => i === index % 2) : builders;
const rows = buildCases.flatMap((one, index) => chosen(buildersOf(one), index).map((builder) => [keyOf(one, builder), one, builder] as const));
test.each(rows)("%s comes out as on dockerd 28.5", async (key, one, builder) => {
  const expected = await expectedOf(key, one, builder);
  const answer = await askBuild(docker, one, builder);
  const differs = known[key]?.differs ?? [];
  const same = (all: BuildAnswer | undefined): unknown => Object.fromEntries(Object.entries(all ?? {}).filter(([name]) => !differs.includes(name as never)));
  expect(same(answer)).toEqual(same(expected));
  for (const name of differs) expect(answer[name]).not.toEqual(expected?.[name]);
});

/** A context with these files; the CLI's words. */
async function build(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  more: { builder?: Builder; signal?: AbortSignal } = {},
): Promise<Result> {
  const context = mkdtempSync(join(dir, "c-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    writeFileSync(join(context, name), text);
  }
  const words = ["env", `DOCKER_BUILDKIT=${more.builder === "classic" ? 0 : 1}`, clients.docker, "build", ...args, context];
  return await docker.inside(words, more.signal === undefined ? {} : { signal: more.signal });
}

const ok = (result: Result): Result => {
  expect(result.code, result.stderr).toBe(0);
  return result;
};
const idOf = (reference: string): Promise<string> => docker.ok("image", "inspect", "-f", "{{.Id}}", reference);

test.each(["classic", "buildkit"] as const)("the same again is the same image, by the %s builder, and what changed is made anew", async (builder) => {
  const files = { Dockerfile: "FROM busybox\nARG A\nENV X=1\nRUN date +%N > /stamp\nCOPY f /f\nRUN cat /f > /g\n", f: "1" };
  // A statement of where an image comes from has a time in it.
  const plain = builder === "classic" ? [] : ["--provenance=false"];
  ok(await build(files, [...plain, "-t", "again:1"], { builder }));
  const second = ok(await build(files, [...plain, "-t", "again:2"], { builder }));
  expect(second.stdout + second.stderr).toMatch(builder === "classic" ? /Using cache/ : /CACHED/);
  expect(await idOf("again:2")).toBe(await idOf("again:1"));
  ok(await build({ ...files, f: "2" }, ["-t", "again:3"], { builder }));
  const stamps = await Promise.all(["1", "3"].map((tag) => docker.ok("run", "--rm", `again:${tag}`, "cat", "/stamp", "/g")));
  expect(stamps[1]).toBe(stamps[0]?.replace(/1$/, "2"));
  ok(await build(files, [...plain, "--no-cache", "-t", "again:4"], { builder }));
  expect(await idOf("again:4")).not.toBe(await idOf("again:1"));
});

test("secrets are there while a step runs, and nowhere afterwards", async () => {
  writeFileSync(join(dir, "secret"), "hush-hush");
  const dockerfile = "FROM busybox\nRUN --mount=type=secret,id=s --mount=type=secret,id=s,env=S wc -c < /run/secrets/s > /count && echo ${#S} >> /count\n";
  ok(await build({ Dockerfile: dockerfile }, ["--secret", `id=s,src=${join(dir, "secret")}`, "-t", "secret"]));
  expect(await docker.ok("run", "--rm", "secret", "cat", "/count")).toBe("9\n9");
  expect((await docker.ok("run", "--rm", "secret", "sh", "-c", "find / -xdev -path /run/secrets")).trim()).toBe("");
  const saved = await docker.inside(["sh", "-c", `${clients.docker} save secret | grep -c hush-hush`]);
  expect(saved.stdout.trim()).toBe("0");
});

test("a cache mount keeps what a step left in it", async () => {
  const dockerfile = (n: number): string => `FROM busybox\nRUN --mount=type=cache,target=/c,id=kept echo ${n} >> /c/log; cp /c/log /seen\n`;
  ok(await build({ Dockerfile: dockerfile(1) }, ["-t", "cachemount"]));
  ok(await build({ Dockerfile: dockerfile(2) }, ["-t", "cachemount"]));
  expect(await docker.ok("run", "--rm", "cachemount", "cat", "/seen")).toBe("1\n2");
  expect(await docker.ok("run", "--rm", "cachemount", "ls", "-d", "/c").catch(() => "not there")).toBe("not there");
});

test("independent stages run at the same time", async () => {
  // Each waits for the other, by a directory that both have.
  const wait = (own: string, other: string): string =>
    `RUN --mount=type=cache,target=/c,id=meet-${process.pid} touch /c/${own}; n=0; until [ -e /c/${other} ]; do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done; touch /${own}`;
  const dockerfile = `FROM busybox AS a\n${wait("a", "b")}\nFROM busybox AS b\n${wait("b", "a")}\nFROM busybox\nCOPY --from=a /a /a\nCOPY --from=b /b /b\n`;
  expect((await build({ Dockerfile: dockerfile }, ["-t", "meet"])).code).toBe(0);
});

test.each(["classic", "buildkit"] as const)("a client that goes ends its build, by the %s builder, and nothing of it is left", async (builder) => {
  const before = (await docker.inside(["ps", "-eo", "args"])).stdout.split("\n").filter((line) => line === "sleep 4321").length;
  const client = new AbortController();
  // One of them will not hear of signals; BuildKit's clients have both at the same time.
  const dockerfile = "FROM busybox AS a\nRUN trap '' INT TERM; sleep 4321; true\nFROM busybox\nRUN sleep 4321\nCOPY --from=a /x /\n";
  const running = build({ Dockerfile: dockerfile }, ["-t", "gone"], { builder, signal: client.signal }).catch(() => undefined);
  const sleepers = async (): Promise<number> => (await docker.inside(["ps", "-eo", "args"])).stdout.split("\n").filter((line) => line === "sleep 4321").length;
  await expect.poll(sleepers, { timeout: 30_000 }).toBe(before + (builder === "classic" ? 1 : 2));
  client.abort();
  await running;
  await expect.poll(sleepers, { timeout: 30_000 }).toBe(before);
  expect(await docker.ok("images", "-q", "gone")).toBe("");
  await expect
    .poll(() => docker.inside(["sh", "-c", `ls ${engine.root}/builds/work | wc -l`]).then(({ stdout }) => stdout.trim()), { timeout: 30_000 })
    .toBe("0");
});

test("a client that is killed says nothing, and its build ends all the same", async () => {
  const context = mkdtempSync(join(dir, "c-"));
  writeFileSync(join(context, "Dockerfile"), "FROM busybox\nRUN exec sleep 4322\n");
  const leader = join(dir, "leader");
  const running = docker.inside(["setsid", "sh", "-c", `echo $$ > ${leader}; exec ${clients.docker} buildx build ${context}`]).catch(() => undefined);
  const sleeps = async (): Promise<boolean> => (await docker.inside(["ps", "-eo", "args"])).stdout.split("\n").includes("sleep 4322");
  await expect.poll(sleeps, { timeout: 30_000 }).toBe(true);
  process.kill(-Number(readFileSync(leader, "utf8")), "SIGKILL");
  await running;
  await expect.poll(sleeps, { timeout: 30_000 }).toBe(false);
});

test("pruning frees the cache, and the images stay", async () => {
  ok(await build({ Dockerfile: "FROM busybox\nRUN echo 1 > /pruned\n" }, ["-t", "pruned"]));
  ok(await build({ Dockerfile: "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=3\n" }, []));
  expect(await docker.ok("system", "df")).toMatch(/Build Cache\s+[1-9]/);
  await docker.ok("image", "prune", "-f");
  const freed = await docker.ok("builder", "prune", "-af");
  expect(freed).toMatch(/Total.*:\s+[1-9]/);
  expect(await docker.ok("run", "--rm", "pruned", "cat", "/pruned")).toBe("1");
  expect(await docker.ok("system", "df")).toMatch(/Build Cache\s+0/);
});

test("a Dockerfile from standard input, and an archive as the context", async () => {
  const fromInput = await docker.with({ input: "FROM busybox\nRUN echo in > /in\n" }, "build", "-t", "input", "-");
  expect(fromInput.code, fromInput.stderr).toBe(0);
  expect(await docker.ok("run", "--rm", "input", "cat", "/in")).toBe("in");
});

test("what was built goes into a directory of the client, or into an archive", async () => {
  const files = { Dockerfile: "FROM busybox AS b\nRUN mkdir /o && echo 1 > /o/f && ln -s f /o/l && chmod 600 /o/f\nFROM scratch\nCOPY --from=b /o /\n" };
  const out = join(dir, "out");
  ok(await build(files, ["-o", out]));
  expect(readdirSync(out)).toEqual(["f", "l"]);
  expect(readFileSync(join(out, "l"), "utf8")).toBe("1\n");
  expect(statSync(join(out, "f")).mode & 0o777).toBe(0o600);
  ok(await build(files, ["-o", `type=tar,dest=${join(dir, "out.tar")}`]));
  const listed = await docker.inside(["tar", "-tf", join(dir, "out.tar")]);
  expect(listed.stdout).toBe("f\nl\n");
});

test("compose builds what its file says", async () => {
  const project = mkdtempSync(join(dir, "p-"));
  writeFileSync(join(project, "Dockerfile"), "FROM busybox\nARG W\nENV WORD=$W\nCMD echo $WORD\n");
  writeFileSync(join(project, "compose.yaml"), "services:\n  one:\n    image: composed\n    build:\n      context: .\n      args: {W: spoken}\n");
  ok(await docker("compose", "-f", join(project, "compose.yaml"), "build"));
  expect(await docker.ok("run", "--rm", "composed")).toBe("spoken");
});
