import type { BuildStep, BuildSummary, BuildUpdate } from "#api/builds.ts";
import type { Tone } from "./containers.ts";
import { quoted } from "./copyrun.ts";

/** One step of a build, with the end of what it said. */
export interface StepView extends BuildStep {
  readonly log: string;
}

/** Characters kept of what one step says; the oldest go first. */
const logCharsMax = 256 * 1024;

// oxlint-disable-next-line no-control-regex -- colours and moves of the cursor, which a page has no use for
const controls = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** The steps after news of them: in the order they began, each with what it has said. */
export function withUpdates(steps: readonly StepView[], updates: readonly BuildUpdate[]): readonly StepView[] {
  if (updates.length === 0) return steps;
  const byId = new Map<string, { step: BuildStep; log: string[] }>(steps.map((step) => [step.id, { step, log: [step.log] }]));
  for (const update of updates) {
    for (const step of update.steps) {
      const known = byId.get(step.id);
      if (known === undefined) byId.set(step.id, { step, log: [] });
      else known.step = step;
    }
    for (const { step, text } of update.logs) byId.get(step)?.log.push(text);
  }
  return [...byId.values()].map(({ step, log }) => ({ ...step, log: log.length < 2 ? (log[0] ?? "") : log.join("").slice(-logCharsMax) }));
}

/** What a step's log shows: lines that were drawn over by a later one are gone, colours too. */
export const shownLog = (log: string): string =>
  log
    .replace(controls, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, "").split("\r").at(-1) ?? "")
    .join("\n")
    .trimEnd();

/** `[base 2/5] RUN make` -> where it stands, and what it does. */
export function stepParts(name: string): { readonly place: string; readonly text: string; readonly internal: boolean } {
  const [, place = "", text = name] = /^\[([^\]]*)\] ([\s\S]*)$/.exec(name) ?? [];
  return place === "internal" ? { place: "", text, internal: true } : { place, text, internal: place === "" };
}

export const stepState = ({ cached, completed, error }: BuildStep): "running" | "cached" | "failed" | "done" =>
  error !== undefined ? "failed" : completed === undefined ? "running" : cached ? "cached" : "done";

export function tookMs({ started, completed }: Pick<BuildStep, "started" | "completed">, nowMs: number): number {
  return started === undefined ? 0 : Math.max(0, (completed === undefined ? nowMs : Date.parse(completed)) - Date.parse(started));
}

/** What a build is called: its first tag, else its folder's name, else the target. */
export function buildName({ options: { tags, folder, target, dockerfile } }: Pick<BuildSummary, "options">): string {
  const base = folder.split(/[\\/]/).findLast((part) => part !== "");
  return tags[0] ?? base ?? (target === "" ? dockerfile : target);
}

const tones: Readonly<Record<BuildSummary["state"], Tone>> = { running: "busy", done: "running", failed: "failed", cancelled: "idle" };
export const buildTone = (state: BuildSummary["state"]): Tone => tones[state];

/** Part of the steps that came from the cache, 0 to 1. */
export const cacheShare = ({ steps: { total, cached } }: Pick<BuildSummary, "steps">): number => (total === 0 ? 0 : cached / total);

/** `docker build …` for the same. */
export function buildCommand({ folder, dockerfile, target, platform, tags, args, noCache, pull }: BuildSummary["options"]): string {
  const words = [
    "docker",
    "build",
    ...tags.flatMap((tag) => ["-t", tag]),
    ...(dockerfile === "Dockerfile" ? [] : ["-f", `${folder}/${dockerfile}`]),
    ...(target === "" ? [] : ["--target", target]),
    ...(platform === "" ? [] : ["--platform", platform]),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(noCache ? ["--no-cache"] : []),
    ...(pull ? ["--pull"] : []),
    folder === "" ? "." : folder,
  ];
  return words.map(quoted).join(" ");
}
