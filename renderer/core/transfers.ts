import { createStore, type StoreApi } from "zustand/vanilla";
import { EngineError } from "#base/errors.ts";
import type { PullProgress } from "#api/images.ts";
import type { Engine } from "./engine/engine.ts";
import { jsonLines } from "./engine/lines.ts";
import { EngineFailure } from "./engine/request.ts";
import { t } from "./texts.ts";

export interface LayerProgress {
  readonly id: string;
  /** The engine's word: `Downloading`, `Extracting`, `Pull complete`, `Already exists`. */
  readonly status: string;
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

/** A pull or a load. It belongs to the window, not to the page that began it: leaving the page changes nothing. */
export interface Transfer {
  readonly id: number;
  readonly kind: "pull" | "load";
  /** The image reference, or the file's name. */
  readonly name: string;
  readonly layers: readonly LayerProgress[];
  readonly startedAt: number;
  /** Bytes a second over the last seconds. */
  readonly speed: number;
  /** Last line that belongs to no layer: `Status: Downloaded newer image for …`. */
  readonly note: string;
  readonly state:
    | { readonly kind: "running" }
    | { readonly kind: "done"; readonly tookMs: number }
    | { readonly kind: "failed"; readonly error: unknown }
    | { readonly kind: "cancelled" };
}

export interface Transfers {
  readonly store: StoreApi<{ readonly list: readonly Transfer[] }>;
  /** Resolves when the image is there; rejects with what the engine said, class `cancelled` after `cancel`. */
  pull(image: string): { readonly id: number; readonly done: Promise<void> };
  load(file: File): { readonly id: number; readonly done: Promise<void> };
  cancel(id: number): void;
  clear(id: number): void;
}

const finishedKeptMax = 10;
const speedWindowMs = 3_000;
const fileChunkBytes = 256 * 1024;
/** A registry that does not answer is given up; once it has, a pull may take as long as it takes. */
const silentMsMax = 60_000;

export function createTransfers(engine: Pick<Engine, "images">, limits: { readonly silentMsMax: number } = { silentMsMax }): Transfers {
  const store = createStore<{ readonly list: readonly Transfer[] }>(() => ({ list: [] }));
  const stops = new Map<number, AbortController>();
  let lastId = 0;

  const update = (id: number, change: (transfer: Transfer) => Partial<Transfer>): void =>
    store.setState(({ list }) => ({ list: list.map((transfer) => (transfer.id === id ? { ...transfer, ...change(transfer) } : transfer)) }));

  function begin(kind: Transfer["kind"], name: string, work: (id: number, signal: AbortSignal) => Promise<void>) {
    const id = (lastId += 1);
    const stop = new AbortController();
    stops.set(id, stop);
    const transfer: Transfer = { id, kind, name, layers: [], startedAt: Date.now(), speed: 0, note: "", state: { kind: "running" } };
    store.setState(({ list }) => ({ list: [transfer, ...list].slice(0, finishedKeptMax + stops.size) }));
    const done = work(id, stop.signal)
      .then(() => update(id, (now) => ({ speed: 0, state: { kind: "done", tookMs: Date.now() - now.startedAt } })))
      .catch((error: unknown) => {
        const cancelled = stop.signal.aborted;
        update(id, () => ({ speed: 0, state: cancelled ? { kind: "cancelled" } : { kind: "failed", error } }));
        throw cancelled ? new EngineError("cancelled", `${name}: cancelled`, { cause: error }) : error;
      })
      .finally(() => stops.delete(id));
    done.catch(() => undefined); // the store tells; whoever wants to wait for it may
    return { id, done };
  }

  async function follow(id: number, lines: AsyncIterable<PullProgress>, call: string): Promise<void> {
    const meter = createMeter();
    for await (const line of lines) {
      const failure = line.errorDetail?.message ?? line.error;
      if (failure !== undefined) throw new EngineFailure(line.errorDetail?.code ?? 500, call, failure);
      update(id, (now) => {
        const layers = withLine(now.layers, line);
        return { layers, speed: meter(received(layers)), note: noteOf(line) ?? now.note };
      });
    }
  }

  async function pull(id: number, image: string, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const seconds = Math.round(limits.silentMsMax / 1000);
    const timer = setTimeout(() => silence.abort(new EngineError("unavailable", t.transfers.silent(seconds))), limits.silentMsMax);
    const lines = engine.images.pull(image, AbortSignal.any([signal, silence.signal]));
    try {
      await follow(
        id,
        afterFirst(lines, () => clearTimeout(timer)),
        "POST /images/create",
      );
    } catch (error) {
      throw silence.signal.aborted ? silence.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async function upload(id: number, file: File, signal: AbortSignal): Promise<void> {
    const stream = engine.images.load(signal);
    const answer = (async () => {
      const head = await stream.head;
      if (head.status >= 400) throw new EngineFailure(head.status, "POST /images/load", await textOf(stream.bytes));
      await follow(id, jsonLines<PullProgress>(stream.bytes), "POST /images/load");
    })();
    answer.catch(() => stream.close());
    const meter = createMeter();
    for (let sent = 0; sent < file.size; sent += fileChunkBytes) {
      signal.throwIfAborted();
      const bytes = new Uint8Array(await file.slice(sent, sent + fileChunkBytes).arrayBuffer());
      // An engine that refuses the archive closes early: its own words are the error, not the broken pipe.
      await stream.write(bytes).catch(async (error: unknown) => {
        await answer;
        throw error;
      });
      const current = Math.min(file.size, sent + fileChunkBytes);
      update(id, ({ layers }) => ({
        speed: meter(current),
        layers: withLayer(layers, { id: file.name, status: "Sending", current, total: file.size, done: current >= file.size }),
      }));
    }
    stream.end();
    await answer;
  }

  return {
    store,
    pull: (image) => begin("pull", image, (id, signal) => pull(id, image, signal)),
    load: (file) => begin("load", file.name, (id, signal) => upload(id, file, signal)),
    cancel: (id) => stops.get(id)?.abort(new EngineError("cancelled", "cancelled")),
    clear: (id) => store.setState(({ list }) => ({ list: list.filter((transfer) => transfer.id !== id || stops.has(id)) })),
  };
}

async function* afterFirst<T>(items: AsyncIterable<T>, first: () => void): AsyncGenerator<T, void> {
  for await (const item of items) {
    first();
    yield item;
  }
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of bytes) text += decoder.decode(chunk, { stream: true });
  try {
    const body = JSON.parse(text) as { message?: string };
    return body.message ?? text;
  } catch {
    return text;
  }
}

const noteOf = (line: PullProgress): string | undefined =>
  line.id === undefined || line.progressDetail === undefined ? (line.stream ?? line.status)?.trim() : undefined;

/** Layer ids are twelve hex digits; `latest: Pulling from library/x` also carries an id, the tag. */
const isLayer = (line: PullProgress): line is PullProgress & { id: string } => line.id !== undefined && /^[0-9a-f]{12}$/.test(line.id);

const finished = new Set(["Pull complete", "Already exists", "Download complete", "Layer already exists", "Loaded"]);

/** The layers after one progress line. Bytes never go back: a retried or extracting layer keeps what it had received. */
export function withLine(layers: readonly LayerProgress[], line: PullProgress): readonly LayerProgress[] {
  if (!isLayer(line) || line.status === undefined) return layers;
  const before = layers.find((layer) => layer.id === line.id);
  const downloading = line.status === "Downloading";
  const total = (downloading ? line.progressDetail?.total : undefined) ?? before?.total ?? 0;
  const done = finished.has(line.status);
  const current = done ? total : Math.max(before?.current ?? 0, (downloading ? line.progressDetail?.current : undefined) ?? 0);
  return withLayer(layers, { id: line.id, status: line.status, current, total, done });
}

function withLayer(layers: readonly LayerProgress[], layer: LayerProgress): readonly LayerProgress[] {
  return layers.some(({ id }) => id === layer.id) ? layers.map((old) => (old.id === layer.id ? layer : old)) : [...layers, layer];
}

export const received = (layers: readonly LayerProgress[]): number => layers.reduce((sum, layer) => sum + layer.current, 0);
export const expected = (layers: readonly LayerProgress[]): number => layers.reduce((sum, layer) => sum + layer.total, 0);

/** Bytes a second over the last few seconds, from a growing count. */
function createMeter(): (bytes: number) => number {
  const seen: { at: number; bytes: number }[] = [];
  return (bytes) => {
    const at = performance.now();
    seen.push({ at, bytes });
    while (seen.length > 2 && at - (seen[0]?.at ?? at) > speedWindowMs) seen.shift();
    const first = seen[0];
    return first === undefined || at - first.at < 200 ? 0 : Math.max(0, ((bytes - first.bytes) / (at - first.at)) * 1000);
  };
}
