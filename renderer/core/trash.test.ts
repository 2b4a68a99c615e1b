// @vitest-environment node
import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineRequest } from "#bridge/bridge.ts";
import { fakeBridge } from "#renderer/fakebridge.ts";
import { createEngine } from "./engine/engine.ts";
import { toasts } from "./toasts.ts";
import { toldDeleted } from "./trash.ts";

const bridge = fakeBridge();
const app = { engine: createEngine(bridge), queries: new QueryClient() };
const item = (Kind: string, Id: string, Name: string): object => ({ Kind, Id, Name, RemovedAt: "2026-01-01T00:00:00Z", Bytes: 1 });
const posted = (): string[] => bridge.asked.filter(({ method }: EngineRequest) => method === "POST").map(({ path }) => path);

beforeEach(() => toasts.setState({ list: [] }));
afterEach(() => toasts.setState({ list: [] }));

test("an engine without a trash offers no way back", async () => {
  bridge.answer("GET /slipway/trash", { status: 404, body: { message: "page not found" } });
  await toldDeleted(app, "Deleted web", [{ kind: "container", id: "c1", name: "web" }]);
  expect(toasts.getState().list).toMatchObject([{ kind: "done", text: "Deleted web" }]);
  expect(toasts.getState().list[0]).not.toHaveProperty("undo");
});

test("undo brings back what was deleted last, starts what ran, and asks for nothing twice", async () => {
  bridge.answer("GET /slipway/trash", {
    body: { Items: [item("volume", "v2", "data"), item("volume", "v1", "data"), item("container", "c1", "web")], Limits: { Days: 7, Bytes: 9 }, Bytes: 3 },
  });
  const also = [{ Kind: "volume", Id: "v2", Name: "data" }];
  bridge.answer("POST /slipway/trash/c1/restore", { body: { Kind: "container", Id: "c1", Name: "web-2", Warnings: ["the name web is taken"], Also: also } });
  bridge.answer("POST /containers/c1/start", { status: 204 });
  await toldDeleted(app, "Deleted web", [
    { kind: "container", id: "c1", name: "web", ran: true },
    { kind: "volume", id: "data", name: "data" },
  ]);
  const [toast] = toasts.getState().list;
  if (toast?.kind !== "done" || toast.undo === undefined) throw new Error("no undo is offered");
  await toast.undo();
  expect(posted()).toEqual(["/slipway/trash/c1/restore", "/containers/c1/start"]);
  expect(toasts.getState().list.map((one) => (one.kind === "done" ? one.text : one.kind))).toEqual([
    "Deleted web",
    "the name web is taken",
    "2 things are back",
  ]);
});

test("an image is found by its name, or by its id where it has none, the one that went last first", async () => {
  const image = `sha256:${"a".repeat(64)}`;
  bridge.answer("GET /slipway/trash", {
    body: { Items: [item("image", "i3", image), item("image", "i2", "web:1"), item("image", "i1", "web:1")], Limits: { Days: 7, Bytes: 9 }, Bytes: 3 },
  });
  for (const [id, name] of [
    ["i2", "web:1"],
    ["i3", image],
  ])
    bridge.answer(`POST /slipway/trash/${id}/restore`, { body: { Kind: "image", Id: id, Name: name, Warnings: [], Also: [] } });
  await toldDeleted(app, "Deleted 2 images", [
    { kind: "image", id: `${image} web:1`, name: "web:1" },
    { kind: "image", id: image, name: "aaaaaaaaaaaa" },
  ]);
  const [toast] = toasts.getState().list;
  if (toast?.kind !== "done" || toast.undo === undefined) throw new Error("no undo is offered");
  const before = posted().length;
  await toast.undo();
  expect(posted().slice(before)).toEqual(["/slipway/trash/i2/restore", "/slipway/trash/i3/restore"]);
});
