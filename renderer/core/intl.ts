import type { Language } from "#bridge/language.ts";
import { language } from "./language.ts";

/** What `Intl` has for the language that is shown. Making a format takes a hundred times longer than using it: each is made once. */
export const intl = (): Formats => formats[language.getState().shown];

interface Formats {
  readonly justNow: string;
  readonly relative: Intl.RelativeTimeFormat;
  readonly dateTime: Intl.DateTimeFormat;
  readonly time: Intl.DateTimeFormat;
  readonly time24: Intl.DateTimeFormat;
  readonly plurals: Intl.PluralRules;
  readonly collator: Intl.Collator;
  unit(unit: string): Intl.NumberFormat;
  digits(least: number, most: number, grouped: boolean): Intl.NumberFormat;
}

const formats: Readonly<Record<Language, Formats>> = { en: formatsOf("en", "just now"), de: formatsOf("de", "gerade eben") };

function formatsOf(locale: Language, justNow: string): Formats {
  const numbers = new Map<string, Intl.NumberFormat>();
  const number = (key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat => {
    const format = numbers.get(key) ?? new Intl.NumberFormat(locale, options);
    numbers.set(key, format);
    return format;
  };
  return {
    justNow,
    relative: new Intl.RelativeTimeFormat(locale, { numeric: "always" }),
    dateTime: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }),
    time: new Intl.DateTimeFormat(locale, { timeStyle: "medium" }),
    time24: new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" }),
    plurals: new Intl.PluralRules(locale),
    collator: new Intl.Collator(locale, { numeric: true, sensitivity: "base" }),
    unit: (unit) => number(unit, { style: "unit", unit, unitDisplay: "long" }),
    digits: (minimumFractionDigits, maximumFractionDigits, useGrouping) =>
      number(`${minimumFractionDigits} ${maximumFractionDigits} ${useGrouping}`, { minimumFractionDigits, maximumFractionDigits, useGrouping }),
  };
}
