import { useEffect, useState } from "react";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type LogSession, openLogs, startLogWorker } from "#renderer/core/logs/session.ts";
import { useEngineUp } from "#renderer/queries.ts";

/** The container's log, open while the component that asks is mounted; reads on when the container starts again. */
export function useLogSession({ Id, Config, State }: ContainerInspect): LogSession {
  const { engine } = useApp();
  const up = useEngineUp();
  const [session] = useState(() => openLogs(engine, Id, startLogWorker()));
  useEffect(() => () => session[Symbol.dispose](), [session]);

  const tty = Config.Tty === true;
  useEffect(() => {
    if (up) session.follow(tty);
    // StartedAt: a new run of the container continues the log after the last line.
  }, [session, up, tty, State.StartedAt, State.Running]);
  return session;
}
