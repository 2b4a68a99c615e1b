import { afterEach, expect, test } from "vitest";
import { applyLanguage } from "./language.ts";
import { type Texts, catalogues, t } from "./texts.ts";

afterEach(() => {
  applyLanguage("system");
  localStorage.clear();
});

type Said = (...args: unknown[]) => string;
type Entry = string | Said;

/** Every text by its path: `images.columns.size`. */
function entriesOf(node: unknown, path = ""): Map<string, Entry> {
  if (typeof node === "string" || typeof node === "function") return new Map([[path, node as Entry]]);
  return new Map(Object.entries(node as object).flatMap(([key, value]) => [...entriesOf(value, path === "" ? key : `${path}.${key}`)]));
}

const english = entriesOf(catalogues.en);
const german = entriesOf(catalogues.de);
const functions = [...english].filter((entry): entry is [string, Said] => typeof entry[1] === "function");

/** A number that no text has, for each place. */
const mark = (place: number): number => 7101 + 101 * place;
/** What an argument may be: many, none, one, or a list. */
const variants = (place: number): readonly unknown[] => [mark(place), 0, 1, [String(mark(place))]];
const product = (places: number): readonly (readonly unknown[])[] =>
  Array.from({ length: places }, (_, place) => variants(place)).reduce<unknown[][]>(
    (all, some) => all.flatMap((args) => some.map((arg) => [...args, arg])),
    [[]],
  );

function said(say: Said, args: readonly unknown[]): string | undefined {
  try {
    return say(...args);
  } catch {
    return undefined; // a list where the text wants a name, or the other way round
  }
}

const marksIn = (text: string, places: number): readonly number[] => {
  const plain = text.replace(/(?<=\d)[.,](?=\d{3})/g, "");
  return Array.from({ length: places }, (_, place) => mark(place)).filter((value) => plain.includes(String(value)));
};

test("both catalogues have the same texts", () => {
  expect([...german.keys()].toSorted()).toEqual([...english.keys()].toSorted());
  for (const [path, entry] of english) expect(typeof german.get(path), path).toBe(typeof entry);
});

test("a German text takes the arguments of the English one and says each that it says", () => {
  for (const [path, say] of functions) {
    const translated = german.get(path) as Said;
    expect(translated.length, path).toBe(say.length);
    for (const args of product(say.length)) {
      const [text, words] = [said(say, args), said(translated, args)];
      expect(words === undefined, `${path}(${args.join(", ")})`).toBe(text === undefined);
      expect(marksIn(words ?? "", say.length), `${path}(${args.join(", ")}): ${text} / ${words}`).toEqual(marksIn(text ?? "", say.length));
    }
  }
});

test("every argument makes a difference, in both languages", () => {
  const indifferent = (say: Said): readonly number[] => {
    const tuples = product(say.length);
    return Array.from({ length: say.length }, (_, place) => place).filter((place) =>
      tuples.every((args) => said(say, args) === said(say, args.with(place, variants(place)[0]))),
    );
  };
  for (const [path, say] of functions) {
    expect(indifferent(say), path).toEqual([]);
    expect(indifferent(german.get(path) as Said), path).toEqual([]);
  }
});

/** Docker's own words, names, and words that both languages share; of a text with figures, what is around them. */
const shared = new Set([
  ...["Slipway", "Container", "Image", "Images", "Build", "Builds", "Volume", "Volumes", "Compose", "Logs", "Engine", "Snapshot", "Snapshot…", "Snapshots"],
  ...["Name", "Label", "Labels", "Tag", "ID", "Details", "Inspect", "Signal", "Version", "Browser", "Kernel", "System", "Desktop", "Variable", "Live", "Fatal"],
  ...[
    "CPU",
    "CPUs",
    "MiB",
    "Ports",
    "Gateway",
    "IPv4",
    "IPv6",
    "Entrypoint",
    "Layer",
    "Dockerfile",
    "CACHED",
    "JSON",
    "Terminal",
    "Shells",
    "English",
    "Deutsch",
  ],
  ...["QEMU", "WSL 2", "KVM", "HVF", "WHPX", "<none>", "logs", "http.status=500", "registry.example/name:tag", "db:10.0.0.5 api:host-gateway"],
  ...[". s", "+", ".", ",", ": ,", "Shell", "Cache …", "Terminal in"],
]);
const isShared = (text: string): boolean => shared.has(text) || text.startsWith("docker ");

/** The text of an entry; of a function the first that it makes of these arguments. */
const textOf = (entry: Entry): string => (typeof entry === "string" ? entry : (product(entry.length).flatMap((args) => said(entry, args) ?? [])[0] ?? ""));

test("no text is left in English", () => {
  const same = [...english].map(([path, entry]) => [path, textOf(entry), textOf(german.get(path) ?? "")] as const).filter(([, text, words]) => text === words);
  expect(same.filter(([, text]) => !isShared(text) && !isShared(text.replace(/\d+/g, "").trim()))).toEqual([]);
});

test("German texts have German quotation marks, in pairs", () => {
  for (const [path, entry] of german) {
    const text = textOf(entry);
    expect(text, path).not.toMatch(/["”]/);
    expect(text.split("„").length, path).toBe(text.split("“").length);
  }
});

test("the texts are those of the language that is shown, also to who imported them before", () => {
  expect(t).toBe<Texts>(catalogues.en);
  applyLanguage("de");
  expect(t).toBe(catalogues.de);
  expect(document.documentElement.lang).toBe("de");
});
