import { createStore } from "zustand/vanilla";

export type ThemeChoice = "system" | "light" | "dark";

const stored = "slipway.theme";
const dark = (): boolean => globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;

function remembered(): ThemeChoice {
  const value = localStorage.getItem(stored);
  return value === "light" || value === "dark" ? value : "system";
}

/** The theme as chosen and as shown. The choice lives in the host's settings; a copy here avoids a flash at start. */
export const theme = createStore<{ readonly choice: ThemeChoice; readonly shown: "light" | "dark" }>(() => ({ choice: "system", shown: "light" }));

/** Colours that fade would each take their own time over it: for a moment the page would show both themes. */
function withoutFading(change: () => void): void {
  const { classList } = document.documentElement;
  classList.add("changing-theme");
  change();
  // Asked for a style, the browser settles all of them.
  getComputedStyle(document.documentElement).getPropertyValue("color");
  requestAnimationFrame(() => classList.remove("changing-theme"));
}

export function applyTheme(choice: ThemeChoice): void {
  localStorage.setItem(stored, choice);
  const shown = choice === "system" ? (dark() ? "dark" : "light") : choice;
  withoutFading(() => (document.documentElement.dataset["theme"] = shown));
  theme.setState({ choice, shown });
}

/** Applies the remembered theme and follows the system's from then on. */
export function startTheme(): void {
  applyTheme(remembered());
  globalThis.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme(theme.getState().choice));
}
