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

export function applyTheme(choice: ThemeChoice): void {
  localStorage.setItem(stored, choice);
  const shown = choice === "system" ? (dark() ? "dark" : "light") : choice;
  document.documentElement.dataset["theme"] = shown;
  theme.setState({ choice, shown });
}

/** Applies the remembered theme and follows the system's from then on. */
export function startTheme(): void {
  applyTheme(remembered());
  globalThis.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme(theme.getState().choice));
}
