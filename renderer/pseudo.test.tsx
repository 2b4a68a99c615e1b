import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import type { Texts } from "#renderer/core/texts.ts";
import type { FakeBridge } from "./fakebridge.ts";
import { completeDom, found, openWindow } from "./testing.tsx";

// The window in a language nobody speaks: each text of the catalogue is marked, and 40 % longer. What is shown
// without marks is data, or a text that no translation reaches.
vi.mock("#renderer/core/texts.ts", async (original) => {
  const module = await original<{ readonly t: Texts }>();
  const longer = (text: string): string => (text === "" ? text : `⟦${text}${"~".repeat(Math.ceil(text.length * 0.4))}⟧`);
  const marked = (node: unknown): unknown => {
    if (typeof node === "string") return longer(node);
    if (typeof node === "function") return (...args: unknown[]) => longer(String((node as (...args: unknown[]) => unknown)(...args)));
    const entries = Object.entries(node as object).map(([key, value]) => [key, marked(value)]);
    return Array.isArray(node) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
  };
  return { ...module, t: marked(module.t) };
});

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const container: ContainerSummary = {
  Id: "data-id",
  Names: ["/data-web"],
  Image: "data-img:1",
  ImageID: "sha256:1",
  Command: "sh",
  Created: 1,
  Ports: [],
  Labels: { "com.docker.compose.project": "data-shop", "com.docker.compose.service": "data-web", "com.docker.compose.config-hash": "1" },
  State: "exited",
  Status: "Exited (0) 1 hour ago",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};

const script = (bridge: FakeBridge): void => {
  bridge.answer("GET /containers/json", { body: [container] });
  bridge.answer("GET /volumes", {
    body: {
      Volumes: [{ Name: "data-volume", Driver: "local", Mountpoint: "/", Labels: {}, Scope: "local", Options: {}, CreatedAt: "2026-01-01T00:00:00Z" }],
      Warnings: null,
    },
  });
  bridge.host({ mode: "electron" });
};

/** Names and values that are not words of ours: data, figures, keys, what Docker or the computer says. */
const data = [
  /data-/,
  /^[\d.,:%/ +–()[\]-]*$/,
  /^\d+([.,]\d+)? ?(B|kB|MB|GB|MiB|GiB|%|s|ms)?$/,
  /(\d+ (second|minute|hour|day|week|month|year)s?( ago)?|just now)$/,
  /^(⌘|Ctrl\+)?[\dKF?/]$|^(Ctrl|Shift|Enter|Esc|Del|Space|↑|↓)/,
  /^\/|^docker |^0\.0\.1$|^1\.0$|^Linux, 6$|^default$|^slipway/,
  /^(MiB|GiB|sh|JSON|TCP|UDP)$/,
];
const isData = (text: string): boolean => data.some((pattern) => pattern.test(text));

/** All that is shown or read aloud: texts, and the attributes that become names, hints and tooltips. */
function visible(): readonly string[] {
  const texts: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
    if (node.parentElement?.closest("script, style, textarea") === null) texts.push(node.parentElement?.textContent ?? "");
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [data-tip], [alt]"))
    for (const name of ["aria-label", "title", "placeholder", "data-tip", "alt"]) texts.push(element.getAttribute(name) ?? "");
  return [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ""))];
}

/** What is left of a text without its marked parts, one by one. */
const unmarked = (text: string): readonly string[] => {
  let rest = text;
  for (let shorter = rest.replace(/⟦[^⟦⟧]*⟧/g, "\u0000"); shorter !== rest; shorter = rest.replace(/⟦[^⟦⟧]*⟧/g, "\u0000")) rest = shorter;
  return rest
    .split("\u0000")
    .map((part) => part.replace(/^[\s·:,.(]+|[\s·:,.)]+$/g, ""))
    .filter((part) => part !== "");
};

test.each(["containers", "images", "builds", "volumes", "networks", "compose", "logs", "trash", "engine", "settings"])(
  "every text of the page %s comes from the catalogue",
  async (page) => {
    using _window = await openWindow(`/${page}`, script);
    await found(() => document.querySelector("h1")?.textContent.startsWith("⟦"));
    await found(() => document.querySelectorAll("nav a").length > 8);
    await expect.poll(() => document.body.textContent.length).toBeGreaterThan(200);
    const texts = visible();
    expect(texts.filter((text) => text.includes("⟦")).length).toBeGreaterThan(20);
    expect(texts.flatMap(unmarked).filter((part) => !isData(part))).toEqual([]);
  },
);
