// @vitest-environment node
import { expect, test } from "vitest";
import type { LogSearchLine } from "#api/log-search.ts";
import { MergedIntake } from "./merged.ts";

const encoder = new TextEncoder();
const at = (second: number): string => `2026-01-02T03:04:0${second}.000000000Z`;
const hit = (name: string, second: number, text: string): LogSearchLine => ({ Id: `${name}-id`, Name: name, Stream: "stdout", Time: at(second), Text: text });
const told = (Hits: number): LogSearchLine => ({ Told: { Hits } });
const bytes = (...lines: readonly LogSearchLine[]): Uint8Array => encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

function opened(): { readonly intake: MergedIntake; readonly shown: () => readonly string[] } {
  const lines: { readonly text: string; readonly source: number }[] = [];
  const intake = new MergedIntake({ add: (line, { source }) => void lines.push({ text: new TextDecoder().decode(line), source }) });
  return { intake, shown: () => lines.map(({ text, source }) => `${intake.names[source]}: ${text}`) };
}

test("lines that were told container by container stand in the order of their times, once all were told", () => {
  const { intake, shown } = opened();
  intake.push(bytes(hit("web", 1, "one"), hit("web", 3, "three"), { Id: "db-id", Name: "db", Event: "start", Time: at(0) }, hit("db", 2, "two")));
  expect(shown()).toEqual([]);
  intake.push(bytes(told(3)));
  expect(shown()).toEqual(["web: one", "db: two", "web: three"]);
  expect(intake.lastStamp).toBe(at(3));
});

test("however the bytes are cut, the lines are whole", () => {
  const all = bytes(hit("web", 1, "zwölf Boxkämpfer"), told(1));
  for (let cut = 1; cut < all.length; cut += 1) {
    const { intake, shown } = opened();
    intake.push(all.slice(0, cut));
    intake.push(all.slice(cut));
    expect(shown()).toEqual(["web: zwölf Boxkämpfer"]);
  }
});

test("after a break what was shown does not come again, and what another container wrote meanwhile does", () => {
  const { intake, shown } = opened();
  intake.push(bytes(hit("web", 5, "shown"), told(1)));
  intake.end();
  intake.reopen();
  intake.push(bytes(hit("web", 5, "shown"), hit("web", 6, "new"), hit("db", 4, "late"), told(3)));
  expect(shown()).toEqual(["web: shown", "db: late", "web: new"]);
});

test("a container that was renamed goes by its new name, and what the engine could not do is kept in its words", () => {
  const { intake, shown } = opened();
  intake.push(bytes(hit("web", 1, "one"), told(1), { ...hit("web", 2, "two"), Name: "shop" } as LogSearchLine, told(2)));
  expect(shown()).toEqual(["shop: one", "shop: two"]);
  intake.push(bytes({ error: "the regular expression takes longer than 5 s", errorDetail: { message: "" } }));
  expect(intake.failure).toBe("the regular expression takes longer than 5 s");
});
