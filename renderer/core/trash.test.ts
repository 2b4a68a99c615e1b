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
