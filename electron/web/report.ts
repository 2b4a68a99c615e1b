import type { BootStep, MachineStatus } from "#api/machine.ts";
import { errorLines } from "#machine/why/explain.ts";

/** Tells on the terminal what the window shows: each step once it is over, the notices, and what failed. */
export function reportSteps(
  host: { readonly status: MachineStatus; onStatus(listener: (status: MachineStatus) => void): Disposable },
  say: (line: string) => void,
): Disposable {
  const said = new Set<string>();
  const once = (key: string, line: string): void => {
    if (said.has(key)) return;
    said.add(key);
    say(line);
  };
  let before: MachineStatus["phase"] | undefined;
  return host.onStatus((status) => {
    if (status.phase === "starting" && before !== "starting") said.clear();
    for (const step of status.steps) if (step.state === "done" || step.state === "failed") once(`${step.name} ${step.state}`, line(step));
    for (const notice of status.notices) once(notice, notice);
    if (status.error !== undefined) once(status.error.message, errorLines(status.error));
    if (status.phase === "running" && before !== "running") say("the engine answers");
    before = status.phase;
  });
}

const line = ({ title, state, tookMs, reason }: BootStep): string =>
  `${state === "done" ? "ok" : "FAILED"} ${title}${tookMs === undefined ? "" : ` (${tookMs} ms)`}${reason === undefined ? "" : `: ${reason}`}`;
