import type { Container } from "./container.ts";

const backoffMsMin = 100;
const backoffMsMax = 60_000;
/** Who ran this long is not failing: the delay starts anew. */
const steadyMs = 10_000;

type Judged = Pick<Container, "spec" | "manuallyStopped" | "endsForGood" | "restartCount">;

/** Whether the policy starts the container again after it ended with `exitCode`. */
export function wantsRestart(container: Judged, exitCode: number): boolean {
  const { Name: name = "no", MaximumRetryCount: max = 0 } = container.spec.hostConfig.RestartPolicy ?? {};
  if (container.endsForGood) return false;
  switch (name) {
    case "":
    case "no":
      return false;
    case "always":
      return true;
    case "unless-stopped":
      return !container.manuallyStopped;
    case "on-failure":
      return exitCode !== 0 && (max === 0 || container.restartCount < max);
  }
}

/** Whether the policy brings the container up when the engine starts and finds it down. */
export function wantsStartAtBoot(container: Judged, exitCode: number): boolean {
  return container.spec.hostConfig.RestartPolicy?.Name === "always" || wantsRestart(container, exitCode);
}

/** 100 ms, doubled at every failure in a row, a minute at most. */
export function nextBackoffMs(beforeMs: number, ranMs: number): number {
  if (beforeMs === 0 || ranMs >= steadyMs) return backoffMsMin;
  return Math.min(beforeMs * 2, backoffMsMax);
}
