import { useStore } from "zustand";
import { type LanguageChoice, languages } from "#bridge/language.ts";
import { applyLanguage, language } from "#renderer/core/language.ts";
import { t } from "#renderer/core/texts.ts";
import { applyTheme, theme, type ThemeChoice } from "#renderer/core/theme.ts";
import { toastFailed } from "#renderer/core/toasts.ts";
import { useSaveSettings } from "#renderer/queries.ts";
import { Segmented } from "#renderer/ui/tabs.tsx";
import { Row, Section } from "./section.tsx";

const themes: readonly ThemeChoice[] = ["system", "light", "dark"];
const spoken: readonly LanguageChoice[] = ["system", ...languages];

/** How the window looks and what it speaks; both count at once. */
export function AppearanceSettings() {
  const look = useStore(theme, (state) => state.choice);
  const words = useStore(language, (state) => state.choice);
  const save = useSaveSettings();
  const told = (saved: Promise<unknown>): void => void saved.catch((error: unknown) => toastFailed(error, t.settings.failed));
  const chooseTheme = (next: ThemeChoice): void => {
    applyTheme(next);
    told(save({ theme: next }));
  };
  const chooseLanguage = (next: LanguageChoice): void => {
    applyLanguage(next);
    told(save({ language: next }));
    // The window was drawn anew: who chose with the keyboard goes on where he was.
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-choices="language"] [aria-checked="true"]`)?.focus());
  };
  return (
    <Section title={t.settings.appearance}>
      <Row
        label={t.settings.theme}
        hint={t.settings.themeHint}
        standard={{ value: t.settings.themes.system, differs: look !== "system", reset: () => chooseTheme("system") }}
      >
        <Segmented label={t.settings.theme} choices={themes.map((id) => ({ id, label: t.settings.themes[id] }))} current={look} onSelect={chooseTheme} />
      </Row>
      <Row
        label={t.settings.language}
        hint={t.settings.languageHint}
        standard={{ value: t.settings.languages.system, differs: words !== "system", reset: () => chooseLanguage("system") }}
      >
        <div data-choices="language">
          <Segmented
            label={t.settings.language}
            choices={spoken.map((id) => ({ id, label: t.settings.languages[id] }))}
            current={words}
            onSelect={chooseLanguage}
          />
        </div>
      </Row>
    </Section>
  );
}
