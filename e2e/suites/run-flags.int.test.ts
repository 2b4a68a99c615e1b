import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";
import { type Observed, ask } from "./run-flags.ask.ts";
import type { FlagCase } from "./run-flags.case.ts";
import { caseFiles, flagCases, limitCases, windowsFlags } from "./run-flags.cases.ts";

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "dockerd-28.5.flags.json"), "utf8")) as {
  readonly version: string;
  readonly observed: Readonly<Record<string, Observed>>;
};
const live = process.env.SLIPWAY_TEST_REFERENCE === "1";
const byName = (cases: readonly FlagCase[]): readonly (readonly [string, FlagCase])[] => cases.map((one) => [one.name, one] as const);
const nameOf = (one: FlagCase): string => `flag${flagCases.indexOf(one)}`;

async function prepare(docker: StockDocker): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "flags-"));
  for (const [name, text] of Object.entries(caseFiles)) writeFileSync(join(dir, name), text);
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  return dir;
}

describe("every flag of docker run does what it does on dockerd 28.5", () => {
  let engine: Program;
  let docker: StockDocker;
  let dir: string;
  let limited: boolean;
  beforeAll(async () => {
    const netns = `slipway-f${process.pid}`;
    engine = await startEngine({ isolate: netns });
    docker = stockDocker({ socket: engine.socket, netns });
    dir = await prepare(docker);
    limited = (await docker.ok("info", "-f", "{{.MemoryLimit}}")) === "true";
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    if (dir !== undefined) rmSync(dir, { recursive: true });
  });

  test("the table has a case for every flag that the stock CLI's help names, and each case a name of its own", async () => {
    const help = await docker.ok("run", "--help");
    const flags = [...help.matchAll(/^ +(?:-[a-zA-Z], )?--([a-z0-9-]+)/gm)].map(([, flag]) => flag);
    expect(flags.length).toBeGreaterThan(90);
    const covered = new Set(flagCases.flatMap(({ flags: own }) => own));
    expect(flags.filter((flag) => flag !== undefined && !covered.has(flag))).toEqual([]);
    expect(new Set(flagCases.map(({ name }) => name)).size).toBe(flagCases.length);
    expect(recorded.version).toMatch(/^28\.5\./);
  });

  test.each(windowsFlags)("%s is for Windows, and refused by name", async (flag, value) => {
    const { code, stderr } = await docker("run", "--rm", flag, value, "busybox", "true");
    expect(code).not.toBe(0);
    expect(stderr).toContain(`"${flag}" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux`);
  });

  const wantedOf = (one: FlagCase): Observed => {
    const wanted = recorded.observed[one.name];
    if (wanted === undefined) throw new Error("no answer of dockerd is recorded: node e2e/suites/run-flags.record.ts");
    return wanted;
  };

  test.each(byName(flagCases.filter((one) => !limitCases.includes(one))))("docker run %s", async (_name, one) => {
    const got = await ask(docker, one, { name: nameOf(one), dir, socket: engine.socket });
    const { ours } = one;
    if (ours === undefined) expect(got).toEqual(wantedOf(one));
    else {
      expect(got.code, ours.reason).toBe(ours.code ?? wantedOf(one).code);
      expect(got.err, ours.reason).toMatch(ours.err);
    }
  });

  // Recorded where no controller is given out; with controllers, other answers are right.
  test.each(byName(limitCases))("without controllers, docker run %s", async (_name, one) => {
    const got = await ask(docker, one, { name: nameOf(one), dir, socket: engine.socket });
    if (limited) expect(got.err).not.toContain("discarded");
    else expect(got).toEqual(wantedOf(one));
  });
});

describe.runIf(live)("what is recorded is what a live dockerd does", () => {
  let dockerd: ReferenceDockerd;
  let docker: StockDocker;
  let dir: string;
  beforeAll(async () => {
    dockerd = await startReferenceDockerd();
    docker = stockDocker({ socket: dockerd.socket, netns: dockerd.netns });
    dir = await prepare(docker);
  });
  afterAll(async () => {
    await dockerd?.[Symbol.asyncDispose]();
    if (dir !== undefined) rmSync(dir, { recursive: true });
  });

  test.each(byName(flagCases))("docker run %s", async (_name, one) => {
    expect(await ask(docker, one, { name: nameOf(one), dir, socket: dockerd.socket })).toEqual(recorded.observed[one.name]);
  });
});
