import { expect, test } from "vitest";
import { languageOf } from "./language.ts";

test("what is chosen counts, whatever the computer speaks", () => {
  expect(languageOf("de", ["en-US"])).toBe("de");
  expect(languageOf("en", ["de-DE"])).toBe("en");
});

test("the system's first language that is spoken here counts, in all its countries", () => {
  expect(languageOf("system", ["de-AT", "en"])).toBe("de");
  expect(languageOf("system", ["fr-FR", "de_DE", "en"])).toBe("de");
  expect(languageOf("system", ["DE"])).toBe("de");
});

test("English stands in for languages that are not spoken here", () => {
  expect(languageOf("system", ["fr-FR"])).toBe("en");
  expect(languageOf("system", [])).toBe("en");
  expect(languageOf("system", ["den"])).toBe("en");
});
