import { useEffect, useState } from "react";
import { visibility } from "#renderer/core/visibility.ts";

/** The clock, read again every `everyMs`; standing still without it, and while nobody sees it. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === undefined) return;
    const read = (): void => {
      if (visibility.getState().seen) setNow(Date.now());
    };
    const timer = setInterval(read, everyMs);
    const unsubscribe = visibility.subscribe(read);
    return () => {
      clearInterval(timer);
      unsubscribe();
    };
  }, [everyMs]);
  return now;
}
