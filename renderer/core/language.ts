import { createStore } from "zustand/vanilla";
import { type Language, type LanguageChoice, languageOf, languages } from "#bridge/language.ts";

const stored = "slipway.language";

function remembered(): LanguageChoice {
  // The log's worker has no storage, and no texts either.
  const value = globalThis.localStorage?.getItem(stored);
  return languages.find((language) => language === value) ?? "system";
}

/** Beside the window there is nobody to speak to: what runs without a page speaks English, whatever its computer does. */
const shownFor = (choice: LanguageChoice): Language => languageOf(choice, typeof document === "undefined" ? [] : navigator.languages);

/** The language as chosen and as shown. The choice lives in the host's settings; a copy here avoids a flash at start. */
export const language = createStore<{ readonly choice: LanguageChoice; readonly shown: Language }>(() => {
  const choice = remembered();
  return { choice, shown: shownFor(choice) };
});

export function applyLanguage(choice: LanguageChoice): void {
  localStorage.setItem(stored, choice);
  const shown = shownFor(choice);
  document.documentElement.lang = shown;
  language.setState({ choice, shown });
}

/** Applies the remembered language and follows the system's from then on. */
export function startLanguage(): void {
  applyLanguage(remembered());
  globalThis.addEventListener("languagechange", () => applyLanguage(language.getState().choice));
}
