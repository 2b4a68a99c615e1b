import { keepLabel, type LogOwner, type LogRun } from "../logs/memory.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Container } from "./container.ts";

/** Before a container's files go: its output stays to be searched, unless the container asks that it does not. */
export function rememberLog({ logMemory }: Pick<ContainerBackends, "logMemory">, container: Container): void {
  if (container.spec.config.Labels?.[keepLabel] !== "false") logMemory.keep(logOwner(container));
}

export function logOwner(container: Container): LogOwner {
  const { id, name, spec } = container;
  return { id, name, image: spec.config.Image ?? "", createdAt: spec.createdAt, runs: runsOf(container) };
}

/** Those that this engine saw the end of, and the one that goes on. */
function runsOf({ ends, state, run }: Container): LogRun[] {
  const last = state.kind === "exited" || state.kind === "restarting" ? [state.last] : [];
  const ended = ends.length > 0 ? ends : last;
  const runs = ended.map(({ startedAt, finishedAt, exitCode }): LogRun => ({ startedAt, finishedAt, exitCode }));
  return run === undefined ? runs : [...runs, { startedAt: run.startedAt }];
}
