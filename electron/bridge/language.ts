/** The languages that window, menus and notifications speak. */
export const languages = ["en", "de"] as const;
export type Language = (typeof languages)[number];
export type LanguageChoice = "system" | Language;

/** The chosen language; for `system` the first of the computer's languages (`de-AT`, `fr`) that is spoken here, else English. */
export function languageOf(choice: LanguageChoice, preferred: readonly string[]): Language {
  if (choice !== "system") return choice;
  const spoken = preferred.map((tag) => tag.toLowerCase().split(/[-_]/)[0]);
  return spoken.flatMap((tag) => languages.find((language) => language === tag) ?? []).at(0) ?? "en";
}
