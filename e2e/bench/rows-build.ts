import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stockDocker } from "../fixtures/docker.ts";
import { tarOf } from "../fixtures/image.ts";
import { type Row, timed } from "./row.ts";
import type { Target } from "./target.ts";

const built = "slipway-bench-built";
const steps = 'FROM slipway-bench\nENV A=1\nRUN echo 1 > /1\nCOPY f /f\nRUN echo 2 > /2\nCMD ["sh"]\n';
const many = Array.from({ length: 5_000 }, (_, i) => ({ name: `files/${Math.floor(i / 100)}/f${i}`, data: `${"x".repeat(i % 2000)}\n` }));

/** By the API's own builder, so that no client's start is measured. */
async function classic(target: Target, context: Buffer, query = ""): Promise<void> {
  const text = await target.call<unknown>("POST", `/build?t=${built}&rm=1&forcerm=1${query}`, context);
  if (!JSON.stringify(text).includes("Successfully built")) throw new Error(`${target.label}: the build failed: ${JSON.stringify(text).slice(-300)}`);
}

const context = (round: number | string): Promise<Buffer> =>
  tarOf([
    { name: "Dockerfile", data: steps },
    { name: "f", data: `${round}` },
  ]);

const cachedClassic: Row = {
  name: "cached build of 6 steps, classic builder",
  unit: "ms",
  rounds: 7,
  budget: 1,
  setup: async (target) => await classic(target, await context("same")),
  measure: async (target) => {
    const tar = await context("same");
    return await timed(() => classic(target, tar));
  },
};

const coldClassic: Row = {
  name: "cold build of 6 steps, classic builder",
  unit: "ms",
  rounds: 3,
  budget: 0.4,
  measure: async (target, round) => {
    const tar = await context(round);
    return await timed(() => classic(target, tar, "&nocache=1"));
  },
};

const manyClassic: Row = {
  name: "build that copies 5,000 files, classic builder",
  unit: "ms",
  rounds: 3,
  budget: 0.4,
  measure: async (target, round) => {
    const tar = await tarOf([
      { name: "Dockerfile", data: "FROM slipway-bench\nCOPY files /files\n" },
      ...many,
      { name: "files/round", data: `${Date.now()}-${round}` },
    ]);
    return await timed(() => classic(target, tar));
  },
};

/** As people build: the stock CLI with buildx, whose own start is in all of these. */
const cachedBuildkit: Row = {
  name: "cached docker build of 6 steps, BuildKit",
  unit: "ms",
  rounds: 7,
  budget: 1,
  setup: async (target) => void (await buildkit(target, sixSteps, built)),
  measure: (target) => buildkit(target, sixSteps, built),
};

const stagesBuildkit: Row = {
  name: "docker build of 8 stages side by side, BuildKit",
  unit: "ms",
  rounds: 3,
  budget: 0.7,
  measure: (target) => buildkit(target, eightStages, built, "--no-cache"),
};

const changedRounds = 5;
/** Each of its own: dockerd at times collects the layers of an image whose name is taken, under the build that stands on them. */
const changedName = (round: number | string): string => `slipway-bench-changed:${round}`;

/** Everything but the source and what is made of it is there already. */
const changedBuildkit: Row = {
  name: "docker build after one line of the source changed, BuildKit",
  unit: "ms",
  rounds: changedRounds,
  budget: 0.5,
  setup: async (target) => void (await buildkit(target, project("first"), changedName("first"))),
  measure: (target, round) => buildkit(target, project(`${Date.now()}-${round}`), changedName(round)),
  async teardown(target) {
    for (const round of ["first", ...Array(changedRounds).keys()]) await target.call("DELETE", `/images/${changedName(round)}`).catch(() => undefined);
  },
};

type Files = Readonly<Record<string, string>>;

const sixSteps: Files = { Dockerfile: steps, f: "same" };

const eightStages: Files = {
  Dockerfile: [
    ...Array.from({ length: 7 }, (_, i) => `FROM slipway-bench AS s${i}\nRUN sleep 0.1 && echo ${i} > /made${i}\n`),
    "FROM slipway-bench\n",
    ...Array.from({ length: 7 }, (_, i) => `COPY --from=s${i} /made${i} /\n`),
  ].join(""),
};

function project(line: string): Files {
  const sources = Array.from({ length: 200 }, (_, i) => [`src/m${i}`, `${"line\n".repeat(i)}${i === 7 ? line : ""}\n`] as const);
  const dockerfile = "FROM slipway-bench\nCOPY list /list\nRUN cat /list > /installed\nCOPY src /src\nRUN cat /src/* > /app\n";
  return { Dockerfile: dockerfile, list: "a\nb\n", ...Object.fromEntries(sources) };
}

async function buildkit(target: Target, files: Files, name: string, ...args: readonly string[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const docker = stockDocker({ socket: target.socket });
    return await timed(() => docker.ok("build", "-q", "--provenance=false", "-t", name, ...args, directory));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export const buildRows: readonly Row[] = [cachedClassic, coldClassic, manyClassic, cachedBuildkit, stagesBuildkit, changedBuildkit];
