import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { FakeBridge } from "#renderer/fakebridge.ts";
import { tarOf } from "#renderer/core/tar.ts";
import { byTestId, button, click, completeDom, found, openWindow, type } from "#renderer/testing.tsx";

vi.setConfig({ testTimeout: 60_000 });
beforeAll(completeDom);
afterEach(() => localStorage.clear());

const inspected = {
  Id: "web-id",
  Name: "/web",
  Created: "2026-01-01T00:00:00Z",
  Image: "sha256:1",
  Config: { Image: "img:1", Env: ["A=1", "B=2"], Cmd: ["serve"], Labels: {} },
  HostConfig: { NetworkMode: "bridge", Binds: ["data:/data"] },
  State: { Status: "running", Running: true, ExitCode: 0 },
  NetworkSettings: {
    Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }], "53/udp": null },
    Networks: { bridge: { NetworkID: "n1", IPAddress: "172.17.0.2", IPPrefixLen: 16, Gateway: "172.17.0.1" } },
  },
};
const page = (bridge: FakeBridge): void => {
  bridge.answer("GET /containers/web-id/json", { body: inspected });
  bridge.answer("GET /images/sha256:1/json", { body: { Config: { Env: ["A=1"], Cmd: ["serve"] }, RepoTags: ["img:1"] } });
};
const asked = (bridge: FakeBridge, call: string) => bridge.asked.filter(({ method, path }) => `${method} ${path}`.startsWith(call));

test("a container that ended with an error says why, from what, and what to do; one that runs is not asked about", async () => {
  const why = {
    Rule: "command-not-found",
    Verdict: "The image has no program serve.",
    Evidence: ['exec: "serve": not found'],
    Fix: "Name a program that the image has.",
  };
  using window = await openWindow("/containers/web-id/network", (bridge) => {
    page(bridge);
    bridge.answer("GET /containers/web-id/json", { body: { ...inspected, State: { Status: "exited", Running: false, ExitCode: 127 } } });
    bridge.answer("GET /slipway/containers/web-id/why", { body: { Id: "web-id", Name: "web", Status: "exited", Explanation: why } });
  });
  const card = await found(() => byTestId("why"));
  for (const text of [why.Verdict, why.Fix, ...why.Evidence]) expect(card.textContent).toContain(text);
  window.bridge.answer("GET /containers/web-id/json", { body: inspected });
  window.bridge.event({ Type: "container", Action: "start", Actor: { ID: "web-id", Attributes: {} } });
  await found(() => byTestId("why") === null);
});

test("processes are what the engine says, with its titles", async () => {
  using _window = await openWindow("/containers/web-id/processes", (bridge) => {
    page(bridge);
    bridge.answer("GET /containers/web-id/top", { body: { Titles: ["PID", "COMMAND"], Processes: [["7", "serve --port 80"]] } });
  });
  const panel = await found(() => byTestId("processes"));
  await found(() => panel.textContent.includes("serve --port 80"));
  expect([...panel.querySelectorAll("th")].map((cell) => cell.textContent)).toEqual(["PID", "COMMAND"]);
});

test("networks and ports are listed, and another network is a choice away", async () => {
  using window = await openWindow("/containers/web-id/network", (bridge) => {
    page(bridge);
    bridge.answer("GET /networks", { body: ["bridge", "front", "host"].map((Name) => ({ Name, Id: Name })) });
    bridge.answer("POST /networks/front/connect", {});
    bridge.answer("POST /networks/bridge/disconnect", { status: 403, body: { message: "not while it runs" } });
  });
  const panel = await found(() => byTestId("network"));
  for (const text of ["172.17.0.2/16", "0.0.0.0:8080", "exposed, not published"]) expect(panel.textContent).toContain(text);
  const choice = await found(() => panel.querySelector("select"));
  expect([...choice.options].map((option) => option.value)).toEqual(["", "front"]);
  choice.value = "front";
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  await found(() => asked(window.bridge, "POST /networks/front/connect")[0]?.body !== undefined);
  await click(await found(() => button("Disconnect from bridge")));
  expect((await found(() => byTestId("toast-error"))).textContent).toContain("Not while it runs.");
});

const entry = (name: string, kind: string, more: object = {}) => ({
  name,
  kind,
  size: 5,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: "2026-01-01T00:00:00.000Z",
  ...more,
});

test("files are read a directory at a time, with marks for what was changed; a text is edited, and not over somebody else's", async () => {
  let mtime = "2026-01-01T00:00:00.000Z";
  const etc = () => ({ body: { path: "/etc", entries: [entry("app.conf", "file", { mtime }), entry("l", "link", { target: "app.conf" })], total: 2 } });
  using window = await openWindow("/containers/web-id/files", (bridge) => {
    page(bridge);
    bridge.answer("GET /containers/web-id/changes", { body: [{ Path: "/etc", Kind: 0 }] });
    bridge.answer("GET /slipway/containers/web-id/files", ({ path }) =>
      path.endsWith("path=%2Fetc") ? etc() : { body: { path: "/", entries: [entry("etc", "directory", { mode: 0o755 })], total: 1 } },
    );
    const tar = tarOf({ name: "app.conf", mode: 0o644, uid: 0, gid: 0, bytes: new TextEncoder().encode("a=1\n") }, 0);
    bridge.answer("GET /containers/web-id/archive", { body: tar });
    bridge.answer("PUT /containers/web-id/archive", {});
  });
  const directory = await found(() => byTestId("file-etc"));
  await found(() => byTestId("file-etc")?.textContent.includes("changed"));
  await click(directory.querySelector("button") ?? directory);
  expect((await found(() => byTestId("file-l"))).textContent).toContain("→ app.conf");
  await click((await found(() => byTestId("file-app.conf"))).querySelector("button") ?? document.body);
  const text = await found(() => document.querySelector("textarea"));
  expect(text.value).toBe("a=1\n");
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(text, "a=2\n");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  mtime = "2026-02-02T00:00:00.000Z";
  await found(() => button("Save")?.disabled === false);
  await click(button("Save") ?? document.body);
  await found(() => document.body.textContent.includes("Save again to overwrite"));
  expect(asked(window.bridge, "PUT ")).toEqual([]);
  await click(await found(() => button("Save")));
  await found(() => asked(window.bridge, "PUT /containers/web-id/archive?path=%2Fetc").length === 1);
});

test("an engine that cannot list files says so, and the rest of the page stays", async () => {
  using _window = await openWindow("/containers/web-id/files", (bridge) => {
    page(bridge);
    bridge.answer("GET /slipway/containers/web-id/files", { status: 404, body: { message: "page not found" } });
  });
  expect((await found(() => byTestId("error-notice"))).textContent).toContain("Could not list /");
  expect(button("Stop")).toBeDefined();
});

test("events of the container are shown newest first", async () => {
  using _window = await openWindow("/containers/web-id/events", (bridge) => {
    page(bridge);
    const event = (Action: string, time: number) =>
      JSON.stringify({ Type: "container", Action, time, timeNano: time * 1e9, Actor: { ID: "web-id", Attributes: { name: "web", exitCode: "3" } } });
    bridge.answer("GET /events", { body: `${event("start", 1)}\n${event("die", 2)}\n` });
  });
  const panel = await found(() => byTestId("events"));
  await found(() => panel.textContent.includes("die"));
  expect([...panel.querySelectorAll("tbody tr")].map((row) => row.children[1]?.textContent)).toEqual(["die", "start"]);
  expect(panel.textContent).toContain("exitCode=3");
});

test("a container is copied as a docker run line without what its image says; the menu sends signals and new names", async () => {
  let copied = "";
  Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text: string) => void (copied = text) } });
  using window = await openWindow("/containers/web-id/network", (bridge) => {
    page(bridge);
    bridge.answer("POST /containers/web-id/kill", {});
    bridge.answer("POST /containers/web-id/rename", { status: 409, body: { message: "the name front is taken" } });
  });
  const choose = async (item: string): Promise<void> => {
    await click(await found(() => button("More actions")));
    await click(await found(() => [...document.querySelectorAll("[role=menuitem]")].find((one) => one.textContent === item)));
  };
  await choose("Copy as docker run");
  await found(() => copied !== "");
  expect(copied).toBe("docker run -d --name web -e B=2 -v data:/data img:1");
  await choose("Send a signal…");
  await click(await found(() => button("Send SIGTERM")));
  document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();
  await found(() => asked(window.bridge, "POST /containers/web-id/kill?signal=SIGTERM").length > 0);
  await found(() => document.querySelector("dialog") === null);
  await choose("Rename…");
  await type("Name", "front");
  document.querySelector<HTMLFormElement>("dialog form")?.requestSubmit();
  expect((await found(() => byTestId("error-notice"))).textContent).toContain("The name front is taken.");
});
