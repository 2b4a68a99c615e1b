import type { Http2Session } from "node:http2";
import { EngineError } from "#base/errors.ts";

export interface WatchdogTimes {
  readonly intervalMs: number;
  /** Longest time without any sign of life from the far side. */
  readonly silenceMs: number;
  /** The far side cannot speak, and is not to be missed: it gets its full time once it can. */
  readonly excused?: () => boolean;
}

/**
 * Sends PINGs and destroys the session when the far side shows no life: neither an acknowledgement nor a PING of its
 * own. The transport alone does not tell: a virtio port stays open when the program behind it dies.
 */
export function watch(session: Http2Session, who: string, times: WatchdogTimes): void {
  let lastLife = performance.now();
  let lastTick = lastLife;
  const alive = (): void => void (lastLife = performance.now());
  const tick = (): void => {
    const now = performance.now();
    // After a pause of this very process (suspend, SIGSTOP) the far side gets its full time again.
    if (now - lastTick > times.intervalMs * 2 + 1_000 || times.excused?.() === true) lastLife = now;
    lastTick = now;
    if (now - lastLife > times.silenceMs) {
      session.destroy(new EngineError("unavailable", `${who} showed no life for ${times.silenceMs} ms`));
      return;
    }
    try {
      // An error: too many PINGs are under way, which is no sign of life.
      session.ping((error) => error ?? alive());
    } catch {
      // The session is closing: the silence decides.
    }
  };
  const timer = setInterval(tick, times.intervalMs);
  session.on("ping", alive);
  session.once("close", () => clearInterval(timer));
}
