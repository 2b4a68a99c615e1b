import type { BuildDetails } from "#api/builds.ts";
import type { WhyExplanation } from "#api/why.ts";
import { explainFailure, type FailureRule, type Finding, sayings } from "#api/failure.ts";
import { explainPull } from "./rules-pull.ts";

const linesMax = 5;

interface BuildFacts {
  readonly error: string;
  /** What the step that failed printed last, newest last. */
  readonly lines: readonly string[];
  /** `Dockerfile:3: RUN make`. */
  readonly at: readonly string[];
  readonly exitCode: number | undefined;
}

/** Why a build failed; undefined of one that did not, or that somebody cancelled. */
export function explainBuild(build: Pick<BuildDetails, "state" | "error" | "source" | "updates">): WhyExplanation | undefined {
  const { state, error, source, updates } = build;
  if (state !== "failed" || error === undefined) return undefined;
  const failed = updates
    .flatMap(({ steps }) => steps)
    .filter((step) => step.error !== undefined)
    .at(-1);
  const output = updates
    .flatMap(({ logs }) => logs)
    .filter(({ step }) => step === failed?.id)
    .map(({ text }) => text)
    .join("");
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== "");
  const at = source === undefined ? [] : [`${source.filename}:${source.start}: ${source.text.split("\n")[source.start - 1] ?? ""}`];
  const code = /exit code: (\d+)/.exec(error)?.[1];
  return explainFailure(buildRules, { error, at, lines: lines.slice(-linesMax), exitCode: code === undefined ? undefined : Number(code) });
}

type Say = (match: RegExpExecArray) => Omit<Finding, "evidence">;

const evidenceOf = ({ at, lines, error }: BuildFacts): string[] => [...at, ...lines, error];

const bySaying = sayings<BuildFacts>(({ error }) => error, evidenceOf);

/** Of a step that ran: by what it printed last. */
const byOutput = (name: string, pattern: RegExp, say: Say): FailureRule<BuildFacts> => ({
  name,
  find: (facts) => {
    if (facts.exitCode === undefined) return undefined;
    const match = facts.lines.toReversed().reduce<RegExpExecArray | null>((found, line) => found ?? pattern.exec(line), null);
    return match === null ? undefined : { ...say(match), evidence: evidenceOf(facts) };
  },
});

const byCode = (name: string, codes: readonly number[], say: (code: number) => Omit<Finding, "evidence">): FailureRule<BuildFacts> => ({
  name,
  find: (facts) => (facts.exitCode !== undefined && codes.includes(facts.exitCode) ? { ...say(facts.exitCode), evidence: evidenceOf(facts) } : undefined),
});

/** The base image could not be had: as a pull of it would be judged. */
const baseImage: FailureRule<BuildFacts> = {
  name: "base-image",
  find: (facts) => {
    const [, reference, why] = /failed to resolve source metadata for (\S+?): (.*)$/s.exec(facts.error) ?? [];
    const found = reference === undefined || why === undefined ? undefined : explainPull({ reference, error: why });
    return found === undefined ? undefined : { verdict: `The base image cannot be had: ${found.Verdict}`, evidence: evidenceOf(facts), fix: found.Fix };
  },
};

const disk = { verdict: "The engine's disk is full.", fix: "Make room: docker builder prune, docker system prune -a, and empty the Trash." };

const buildRules: readonly FailureRule<BuildFacts>[] = [
  bySaying("disk-full", /no space left on device|ENOSPC|disk is full/i, () => disk),
  bySaying("out-of-memory", /did not complete successfully: cannot allocate memory/, () => ({
    verdict: "The kernel killed a program of the step, since there was no memory left for it.",
    fix: "Give the machine more memory, or the build less to do at once (make -j2; NODE_OPTIONS=--max-old-space-size).",
  })),
  baseImage,
  bySaying("unknown-instruction", /unknown instruction: (\S+?)(?: \(did you mean (\S+?)\?\))?$/m, ([, word = "", meant]) => ({
    verdict: `${word} is no instruction of a Dockerfile.`,
    fix: meant === undefined ? "Instructions are FROM, RUN, COPY and the like; a line that goes on ends in \\." : `Write ${meant}.`,
  })),
  bySaying("dockerfile-missing", /failed to read dockerfile: open (.*?): no such file/i, ([, path = "Dockerfile"]) => ({
    verdict: `There is no ${path} in the folder that is built.`,
    fix: "Name it with -f, or build the folder that has it: the last word of docker build is the folder.",
  })),
  bySaying("dockerfile-empty", /cannot be empty|contains no stages|file with no instructions/i, () => ({
    verdict: "The Dockerfile has nothing to build.",
    fix: "It begins with FROM; check that it was saved.",
  })),
  bySaying("target-missing", /target stage "(.*?)" could not be found/i, ([, stage = ""]) => ({
    verdict: `The Dockerfile has no stage ${stage}.`,
    fix: "Name one of those that a FROM ends with: AS NAME.",
  })),
  bySaying("stage-order", /stage needs to be defined before current command|circular dependency/i, () => ({
    verdict: "A stage takes files from one that is not before it.",
    fix: "Move the stage that files are taken from up.",
  })),
  bySaying("secret-missing", /secret (\S+?): not found/i, ([, id = ""]) => ({
    verdict: `The step wants the secret ${id}, which the build was not given.`,
    fix: `Give it: docker build --secret id=${id},src=FILE`,
  })),
  bySaying("ssh-missing", /unset ssh forward key (\S+)/i, ([, id = "default"]) => ({
    verdict: `The step wants the ssh agent ${id}, which the build was not given.`,
    fix: `Give it: docker build --ssh ${id}`,
  })),
  bySaying("file-missing", /"\/?(.*?)": not found|lstat \/?(\S+?): no such file|not found in build context.*?: stat (\S+?):/is, ([, a, b, c]) => ({
    verdict: `${a ?? b ?? c} is not in the folder that is built, or its .dockerignore leaves it out.`,
    fix: "Correct the path, which begins at that folder and tells capitals apart, or let .dockerignore have it: a line !PATH brings one back.",
  })),
  bySaying("checksum", /digest mismatch|expected checksum/i, () => ({
    verdict: "What was fetched is not what its checksum says.",
    fix: "Look at what the address gives now; if that is right, write its checksum.",
  })),
  bySaying("parse-error", /dockerfile parse error|failed to parse|syntax error|unknown flag|requires (?:at least|exactly)/i, () => ({
    verdict: "The Dockerfile cannot be read.",
    fix: "Correct the line that is named.",
  })),
  byOutput("disk-full", /No space left on device/i, () => disk),
  byOutput(
    "network",
    /(Could not resolve host: \S+|Temporary failure (?:in name resolution|resolving \S+)|bad address '\S+?'|no such host|ENOTFOUND|EAI_AGAIN|Network is unreachable|Connection (?:refused|timed out)|ETIMEDOUT|ECONNREFUSED)/i,
    ([said]) => ({
      verdict: `The step could not reach what it needs from the network: ${said}.`,
      fix: "Check the network and the name; behind a proxy, set it in the client's config.json, or --build-arg HTTPS_PROXY=...",
    }),
  ),
  byOutput("read-permission", /Permission denied|EACCES/i, () => ({
    verdict: "The step may not use a file.",
    fix: "Give COPY --chown or --chmod, or put the step before USER.",
  })),
  byOutput("wrong-architecture", /exec format error/i, () => ({
    verdict: "A program of the image is for another architecture than this machine's.",
    fix: "Take a base image of this platform, or build with --platform where the engine emulates it.",
  })),
  byCode("command-not-found", [127], () => ({
    verdict: "The step runs a command that the image does not have.",
    fix: "Install it in a step before, or take a base image that has it.",
  })),
  byCode("not-executable", [126], () => ({
    verdict: "The step runs a file that is not a program, or may not be run.",
    fix: "COPY --chmod=755 makes it one; a script needs a first line like #!/bin/sh, without Windows line ends.",
  })),
  byCode("killed", [137], () => ({
    verdict: "Something killed the step's program (SIGKILL); as far as this kernel counts memory for each step, it was not for a lack of it.",
    fix: "See what does so in the step itself (timeout -s KILL); on a host whose cgroups have no memory controller, dmesg says whether memory ran out.",
  })),
  byCode("crashed", [132, 134, 135, 136, 139], (code) => ({
    verdict: `The step's program crashed (exit code ${code}).`,
    fix: "Run the step by hand in a container of the stage before it; under emulation, try a base image of this platform.",
  })),
  {
    name: "step-failed",
    find: (facts) =>
      facts.exitCode === undefined
        ? undefined
        : {
            verdict: `The step's command ended with exit code ${facts.exitCode}${facts.lines.length === 0 ? " and said nothing" : ""}.`,
            evidence: evidenceOf(facts),
            fix: "Its last lines are the evidence; docker build --progress=plain shows all of them.",
          },
  },
  bySaying("build-failed", /\S/, () => ({ verdict: "The build failed.", fix: "The evidence has the engine's own words." })),
];
