import { useMemo } from "react";
import type { ContainerSummary } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { ActFailure, ActName } from "#renderer/core/acts.ts";
import type { App } from "#renderer/core/app.ts";
import { plainName } from "#renderer/core/format.ts";
import { keys } from "#renderer/core/keys.ts";
import { t } from "#renderer/core/texts.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { toldDeleted } from "#renderer/core/trash.ts";

export interface Target {
  readonly id: string;
  readonly name: string;
  /** As listed. */
  readonly ran?: boolean;
}
export const targetOf = (container: ContainerSummary): Target => ({
  id: container.Id,
  name: plainName(container.Names),
  ran: container.State === "running",
});

export interface ContainerActions {
  /** Failures are told by toasts, and returned for a place that lists them. */
  run(act: ActName, targets: readonly Target[], tell?: boolean): Promise<readonly ActFailure[]>;
}

const workOf = (app: App, act: ActName) => (id: string) => {
  const { containers } = app.engine;
  switch (act) {
    case "start":
      return containers.start(id);
    case "stop":
      return containers.stop(id);
    case "restart":
      return containers.restart(id);
    case "pause":
      return containers.pause(id);
    case "unpause":
      return containers.unpause(id);
    case "remove":
      return containers.remove(id, true);
  }
};

export function useContainerActions(): ContainerActions {
  const app = useApp();
  return useMemo(
    () => ({
      async run(act, targets, tell = true) {
        const failures = await app.acts.run(act, targets, workOf(app, act));
        // Events say the same; without them (a proxy that cuts the stream) the list must still be right.
        await app.queries.invalidateQueries({ queryKey: keys.containers });
        if (tell) for (const failure of failures) toastFailed(failure.error, t.containers.failed[act](failure.name));
        const done = targets.filter(({ id }) => failures.every((failure) => failure.id !== id));
        if (act === "remove" && done.length > 0)
          await toldDeleted(
            app,
            t.containers.deleted(done.length, done[0]?.name ?? ""),
            done.map((one) => ({ ...one, kind: "container" })),
          );
        return failures;
      },
    }),
    [app],
  );
}
