import { useEffect, useState } from "react";
import type { ContainerInspect } from "#api/containers.ts";
import { useApp } from "#renderer/appcontext.ts";
import type { LogSession } from "#renderer/core/logs/session.ts";
import { useEngineUp } from "#renderer/queries.ts";

/** The container's log, lent while the component that asks is mounted; reads on when the container starts again. */
export function useLogSession({ Id, Config, State }: ContainerInspect): LogSession {
  const { logs } = useApp();
  const up = useEngineUp();
  const [loan] = useState(() => logs.borrow(Id));
  useEffect(() => () => loan[Symbol.dispose](), [loan]);

  const { session } = loan;
  const format = Config.Tty === true ? "tty" : "frames";
  useEffect(() => {
    if (up) session.follow(format);
    // StartedAt: a new run of the container continues the log after the last line.
  }, [session, up, format, State.StartedAt, State.Running]);
  return session;
}
