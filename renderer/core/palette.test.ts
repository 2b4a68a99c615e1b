import { expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { paletteEntries, searchPalette } from "./palette.ts";

const container = (name: string, State: ContainerSummary["State"], Status: string) =>
  ({ Id: `${name}-id`, Names: [`/${name}`], State, Status }) as ContainerSummary;
const entries = paletteEntries({
  places: [{ path: "/volumes", label: "Volumes" }],
  containers: [container("web", "running", "Up 1 minute"), container("web-old", "exited", "Exited (3) 1 hour ago")],
  images: [],
  volumes: [],
  networks: [],
  engines: [],
});

test("objects come before what can be done with them, the exact name first, each with its state", () => {
  const found = searchPalette(entries, "web");
  expect(found.slice(0, 2).map(({ title, note }) => [title, note])).toEqual([
    ["web", "Container · running"],
    ["web-old", "Container · exited (3)"],
  ]);
});

test("only what the state allows is offered, and only what loses something takes a second step", () => {
  const acts = searchPalette(entries, "web-old").filter(({ deed }) => deed.kind === "act");
  expect(acts.map(({ title, loses }) => [title, loses])).toEqual([
    ["Start web-old", false],
    ["Delete web-old", true],
  ]);
  expect(searchPalette(entries, "stop web").map(({ title }) => title)).toEqual(["Stop web"]);
});

test("words are found in any order and in the state too; without words the objects are shown", () => {
  expect(searchPalette(entries, "running terminal").map(({ title }) => title)).toEqual(["Terminal of web"]);
  expect(searchPalette(entries, " ").map(({ title }) => title)).toEqual([
    "Volumes",
    "web",
    "web-old",
    "Terminal of web",
    "Files of web",
    "Stats of web",
    "Inspect of web",
    "Terminal of web-old",
    "Files of web-old",
    "Stats of web-old",
    "Inspect of web-old",
  ]);
  expect(searchPalette(entries, "nothing like it")).toEqual([]);
});
