/** What clients ask about a Dockerfile instead of building it: `docker build --check` and `--call`, which this client calls `--print`. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import type { Result } from "../fixtures/docker.ts";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
beforeAll(async () => {
  rig = await openBuildRig("ask");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const ask = (question: string, dockerfile: string): Promise<Result> =>
  rig.docker.inside(["env", "BUILDX_EXPERIMENTAL=1", clients.docker, "buildx", "build", `--print=${question}`, rig.context({ Dockerfile: dockerfile })]);
const dockerfile = "FROM busybox AS Build\nRUN touch /asked\n\nFROM busybox AS last\nWORKDIR rel\nCMD echo\n";

test("a check tells what is wrong, with its line and where to read of it, and builds nothing", async () => {
  const checked = await ask("lint", dockerfile);
  const warnings = [...checked.stdout.matchAll(/^WARNING: (\w+) - (\S+)\n(.*)\nDockerfile:(\d+)/gm)].map(([, ...parts]) => parts);
  expect(warnings).toEqual([
    ["StageNameCasing", "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/", "Stage name 'Build' should be lowercase", "1"],
    ["WorkdirRelativePath", "https://docs.docker.com/go/dockerfile/rule/workdir-relative-path/", expect.stringContaining('Relative workdir "rel"'), "5"],
    ["JSONArgsRecommended", "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/", expect.stringContaining("for CMD"), "6"],
  ]);
  expect(await rig.docker.ok("system", "df", "-v")).not.toContain("touch /asked");
});

test("a check of what is in order, or told to skip its rules, ends well", async () => {
  for (const text of ["FROM busybox\nRUN true\n", `# check=skip=all\n${dockerfile}`]) expect(await ask("lint", text)).toMatchObject({ code: 0 });
});

test("a check tells of a base image that is here for another platform than its FROM asks for", async () => {
  const [own, other] = process.arch === "arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
  const stages = `ARG P=linux/${other}\nFROM --platform=$P busybox AS other\nFROM --platform=linux/${own} busybox AS ${own}\nFROM other\n`;
  const { stdout } = await ask("lint", stages);
  const detail = `Base image busybox was pulled with platform "linux/${own}", expected "linux/${other}" for current build`;
  expect(stdout.split("\n").filter((line) => /^(?:WARNING|Base)/.test(line))).toEqual([expect.stringMatching(/^WARNING: InvalidBaseImagePlatform\b/), detail]);
});

test("the targets are told, the last one as the one that is built", async () => {
  const { stdout, code } = await ask("targets", dockerfile);
  const told = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().replace(/ +/g, " "));
  expect({ code, told }).toEqual({ code: 0, told: ["TARGET DESCRIPTION", "build", "last (default)"] });
});

test("what a target can be given is told: its arguments, secrets and SSH agents, and those of the stages it is built from", async () => {
  const stages = `ARG VER=1
# base is what others are built from
FROM busybox AS base
# NAME who to greet
ARG NAME=you
FROM busybox AS other
ARG UNUSED
# final image
FROM base AS final
ARG VER
ARG BARE
RUN --mount=type=secret,id=tok,required --mount=type=secret,target=/run/key --mount=type=ssh true
`;
  const at = (line: number): object => ({ location: { ranges: [{ start: { line }, end: { line } }] } });
  const { stdout, code } = await ask("outline,format=json", stages);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    name: "final",
    description: "image",
    args: [
      { name: "NAME", description: "who to greet", value: "you", ...at(5) },
      { name: "VER", value: "1", ...at(10) },
      { name: "BARE", ...at(11) },
    ],
    secrets: [
      { name: "key", ...at(12) },
      { name: "tok", required: true, ...at(12) },
    ],
    ssh: [{ name: "default", ...at(12) }],
    sources: [Buffer.from(stages).toString("base64")],
  });
  expect((await ask("outline", stages)).stdout).toMatch(/^TARGET: +final\nDESCRIPTION: +image\n/);
});

test("a stage whose name is no image's name cannot be built from", async () => {
  const built = await rig.docker.inside([clients.docker, "buildx", "build", rig.context({ Dockerfile: "FROM busybox AS Base\nFROM Base\nLABEL x=1\n" })]);
  expect(built.code).toBe(1);
  expect(built.stderr).toContain('failed to parse stage name "Base": invalid reference format: repository name (library/Base) must be lowercase');
});
