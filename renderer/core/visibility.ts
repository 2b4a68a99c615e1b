import { createStore } from "zustand/vanilla";

/** Whether anybody can see the window. While nobody can, nothing is read only to be shown: no figures, no log lines, no lists. */
export const visibility = createStore<{ readonly seen: boolean }>(() => ({ seen: true }));

export function startVisibility(page: Document): void {
  const look = (): void => visibility.setState({ seen: page.visibilityState !== "hidden" });
  page.addEventListener("visibilitychange", look);
  look();
}

/** Resolves when the window can be seen, at once while it can; also when `signal` is aborted. */
export function whenSeen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (visibility.getState().seen || signal.aborted) return resolve();
    const done = (): void => {
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const unsubscribe = visibility.subscribe(({ seen }) => seen && done());
    signal.addEventListener("abort", done);
  });
}

/** Runs `stop` whenever the window goes out of sight, until disposed. */
export function onUnseen(stop: () => void): Disposable {
  const unsubscribe = visibility.subscribe(({ seen }) => !seen && stop());
  return { [Symbol.dispose]: unsubscribe };
}
