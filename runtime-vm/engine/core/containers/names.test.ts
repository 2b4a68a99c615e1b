import { expect, test } from "vitest";
import { generateId, generateName, parseContainerName } from "./names.ts";
import { adjectives, surnames } from "./words.ts";

test("every generated name is a valid one, whichever words it takes", () => {
  for (const word of [...adjectives, ...surnames]) expect(word).toMatch(/^[a-z]+$/);
  expect(new Set(adjectives).size).toBe(adjectives.length);
  expect(new Set(surnames).size).toBe(surnames.length);
  expect(parseContainerName(generateName(() => true))).toMatch(/^[a-z]+_[a-z]+$/);
});

test("when names are taken a number is put behind", () => {
  expect(generateName((name) => /\d$/.test(name))).toMatch(/^[a-z]+_[a-z]+\d+$/);
});

test("an id has 64 hex digits and its short form is no number", () => {
  for (let i = 0; i < 1_000; i++) {
    const id = generateId();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(id.slice(0, 12)).toMatch(/[a-f]/);
  }
});

test.each(["a", "-x", "_", ".a", "a b", "a/b", "ä1", ""])("%j is no name", (name) => {
  expect(() => parseContainerName(name)).toThrow(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
});

test("a leading slash, as inspect shows it, is accepted", () => {
  expect(parseContainerName("/web.1")).toBe("web.1");
});
