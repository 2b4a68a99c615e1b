import type { Language } from "#bridge/language.ts";
import { language } from "./language.ts";
import { german } from "./texts/de/german.ts";
import { english } from "./texts/english.ts";
import type { Translated } from "./texts/translated.ts";

export type Texts = Translated<typeof english>;

export const catalogues: Readonly<Record<Language, Texts>> = { en: english, de: german };

/**
 * Every text of the window, in the language that is shown. It changes with that language: read it while drawing
 * (`t.common.close`), never into a constant of a module.
 */
export let t: Texts = catalogues[language.getState().shown];

language.subscribe(({ shown }) => (t = catalogues[shown]));
