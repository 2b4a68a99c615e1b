// @vitest-environment node
import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import type { PullProgress } from "#api/images.ts";
import type { Engine } from "./engine/engine.ts";
import { createTransfers, expected, type LayerProgress, received, withLine } from "./transfers.ts";

const a = "aaaaaaaaaaaa";
const b = "bbbbbbbbbbbb";
const through = (lines: readonly PullProgress[]): readonly LayerProgress[] => lines.reduce(withLine, []);

test("each layer has its bar; an extracting layer keeps the bytes it had received", () => {
  const layers = through([
    { status: "Pulling from shop/web", id: "latest" },
    { status: "Pulling fs layer", progressDetail: {}, id: a },
    { status: "Already exists", progressDetail: {}, id: b },
    { status: "Downloading", progressDetail: { current: 40, total: 100 }, id: a },
    { status: "Downloading", progressDetail: { current: 100, total: 100 }, id: a },
    { status: "Extracting", progressDetail: { current: 10, total: 100 }, id: a },
  ]);
  expect(layers).toEqual([
    { id: a, status: "Extracting", current: 100, total: 100, done: false },
    { id: b, status: "Already exists", current: 0, total: 0, done: true },
  ]);
  expect([received(layers), expected(layers)]).toEqual([100, 100]);
});

test("a retried download never makes a bar go back", () => {
  const layers = through([
    { status: "Downloading", progressDetail: { current: 80, total: 100 }, id: a },
    { status: "Downloading", progressDetail: { current: 5, total: 100 }, id: a },
  ]);
  expect(layers[0]?.current).toBe(80);
});

const pulling = (pull: (signal: AbortSignal) => AsyncGenerator<PullProgress>, limits?: { silentMsMax: number }) =>
  createTransfers({ images: { pull: (_image: string, signal: AbortSignal) => pull(signal) } } as unknown as Pick<Engine, "images">, limits);

test("a registry that never answers ends the pull with the reason, not as if somebody had cancelled it", async () => {
  const transfers = pulling(
    async function* (signal) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("closed"))));
      yield {};
    },
    { silentMsMax: 5 },
  );
  await expect(transfers.pull("img").done).rejects.toMatchObject({ class: "unavailable", message: expect.stringContaining("has not answered") });
  expect(transfers.store.getState().list[0]?.state.kind).toBe("failed");
});

test("an error line fails the pull with the engine's words", async () => {
  const transfers = pulling(async function* () {
    yield { status: "Pulling fs layer", id: a };
    yield { error: "unauthorized", errorDetail: { message: "unauthorized: log in", code: 401 } };
  });
  await expect(transfers.pull("x").done).rejects.toMatchObject({ class: "unauthorized", message: "unauthorized: log in" });
  expect(transfers.store.getState().list[0]?.state.kind).toBe("failed");
});

test("a cancelled pull ends as cancelled, not as failed", async () => {
  const transfers = pulling(async function* (signal) {
    yield { status: "Pulling fs layer", id: a };
    await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve())));
    throw new EngineError("unavailable", "closed");
  });
  const { id, done } = transfers.pull("x");
  await Promise.resolve();
  transfers.cancel(id);
  await expect(done).rejects.toMatchObject({ class: "cancelled" });
  expect(transfers.store.getState().list[0]?.state.kind).toBe("cancelled");
  transfers.clear(id);
  expect(transfers.store.getState().list).toEqual([]);
});

test("a load sends the whole file and says what the engine refused", async () => {
  const sent: Uint8Array[] = [];
  const stream = {
    head: Promise.resolve({ status: 400, headers: {} }),
    bytes: (async function* () {
      yield new TextEncoder().encode('{"message":"no tar archive"}');
    })(),
    write: (bytes: Uint8Array) => {
      sent.push(bytes);
      return Promise.resolve();
    },
    end: () => undefined,
    close: () => undefined,
  };
  const transfers = createTransfers({ images: { load: () => stream } } as unknown as Pick<Engine, "images">);
  await expect(transfers.load(new File(["x".repeat(600_000)], "a.tar")).done).rejects.toMatchObject({ class: "invalidArgument", message: "no tar archive" });
  expect(sent.reduce((sum, bytes) => sum + bytes.length, 0)).toBe(600_000);
});
