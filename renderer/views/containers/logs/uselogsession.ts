import { useEffect, useState } from "react";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type LogSession, openLogs, startLogWorker } from "#renderer/core/logs/session.ts";
import { useEngineUp } from "#renderer/queries.ts";

/** Opens the container's log when it is first wanted; reads on when the container starts again. */
export function useLogSession(container: ContainerInspect, wanted: boolean): LogSession | undefined {
  const { engine } = useApp();
  const up = useEngineUp();
  const [session, setSession] = useState<LogSession>();
  const [begun, setBegun] = useState(false);
  if (wanted && !begun) setBegun(true);
  const { Id, Config, State } = container;

  useEffect(() => {
    if (!begun) return;
    const opened = openLogs(engine, Id, startLogWorker());
    setSession(opened);
    return () => opened[Symbol.dispose]();
  }, [engine, Id, begun]);

  const tty = Config.Tty === true;
  useEffect(() => {
    if (up) session?.follow(tty);
    // StartedAt: a new run of the container continues the log after the last line.
  }, [session, up, tty, State.StartedAt, State.Running]);

  return session;
}
