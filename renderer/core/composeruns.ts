import { createStore, type StoreApi } from "zustand/vanilla";
import type { ComposeActOptions, ComposeProjectSource, ComposeVerb } from "#api/compose.ts";
import { EngineError } from "#base/errors.ts";
import type { Engine } from "./engine/engine.ts";

/** Something that docker compose does for this window. It belongs to the window, not to the page that began it. */
export interface ComposeRun {
  readonly id: number;
  /** The project's name. */
  readonly project: string;
  readonly source: ComposeProjectSource;
  readonly options: ComposeActOptions;
  /** What it tells of each container, network, volume or image: the last word counts. */
  readonly steps: readonly ComposeStep[];
  /** What it says besides: builds, warnings, errors. */
  readonly output: readonly string[];
  readonly state: { readonly kind: "running" | "done" | "cancelled" } | { readonly kind: "failed"; readonly error: EngineError };
}

export interface ComposeStep {
  /** `Container shop-web-1`. */
  readonly name: string;
  readonly word: string;
}

export interface ComposeRuns {
  readonly store: StoreApi<{ readonly list: readonly ComposeRun[] }>;
  /** Resolves when it is over, to whether all went well; the store tells the rest. */
  start(project: string, source: ComposeProjectSource, options: ComposeActOptions): Promise<boolean>;
  cancel(id: number): void;
  forget(id: number): void;
}

const keptMax = 10;
const outputLinesMax = 1_000;
const drawMs = 100;

export const actOptions = (verb: ComposeVerb, more: Partial<ComposeActOptions> = {}): ComposeActOptions => ({
  verb,
  services: [],
  scale: {},
  build: false,
  removeOrphans: false,
  volumes: false,
  dryRun: false,
  ...more,
});

export function createComposeRuns(engine: Pick<Engine, "compose">): ComposeRuns {
  const store = createStore<{ readonly list: readonly ComposeRun[] }>(() => ({ list: [] }));
  const stops = new Map<number, AbortController>();
  let lastId = 0;
  const update = (id: number, change: (run: ComposeRun) => Partial<ComposeRun>): void =>
    store.setState(({ list }) => ({ list: list.map((run) => (run.id === id ? { ...run, ...change(run) } : run)) }));

  async function follow(id: number, { source, options }: ComposeRun, signal: AbortSignal): Promise<ComposeRun["state"]> {
    let lines: string[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = (): void => {
      clearTimeout(timer);
      timer = undefined;
      const taken = lines;
      lines = [];
      update(id, (run) => withLines(run, taken));
    };
    try {
      for await (const message of engine.compose.act(source, options, signal)) {
        if ("error" in message) throw new EngineError("internal", message.error);
        if ("line" in message) {
          lines.push(message.line);
          timer ??= setTimeout(draw, drawMs);
          continue;
        }
        draw();
        if (message.exit === 0) return { kind: "done" };
        const said = store
          .getState()
          .list.find((run) => run.id === id)
          ?.output.at(-1);
        throw new EngineError("internal", said ?? `docker compose ended with ${message.exit}`);
      }
      signal.throwIfAborted();
      throw new EngineError("unavailable", "the engine went away before docker compose was done");
    } finally {
      draw();
    }
  }

  return {
    store,
    async start(project, source, options) {
      const id = (lastId += 1);
      const stop = new AbortController();
      stops.set(id, stop);
      const run: ComposeRun = { id, project, source, options, steps: [], output: [], state: { kind: "running" } };
      store.setState(({ list }) => ({
        list: [run, ...list.filter((one) => one.project !== project || one.state.kind === "running")].slice(0, keptMax + stops.size),
      }));
      const state = await follow(id, run, stop.signal).catch((error: unknown): ComposeRun["state"] =>
        stop.signal.aborted
          ? { kind: "cancelled" }
          : { kind: "failed", error: error instanceof EngineError ? error : new EngineError("internal", String(error)) },
      );
      stops.delete(id);
      update(id, () => ({ state }));
      return state.kind === "done";
    },
    cancel: (id) => stops.get(id)?.abort(new EngineError("cancelled", "cancelled")),
    forget: (id) => store.setState(({ list }) => ({ list: list.filter((run) => run.id !== id) })),
  };
}

/** ` Container shop-web-1  Started`, ` web Pulling `: what docker compose's plain progress says of one thing. */
const stepForm = /^ (?:DRY-RUN MODE - {2})?((?:Container|Network|Volume|Image) \S+|[\w.-]+) {1,2}(\S.*?)\s*$/;

export function stepOf(line: string): ComposeStep | undefined {
  const [, name, word] = stepForm.exec(line) ?? [];
  return name === undefined || word === undefined ? undefined : { name: name.replaceAll('"', ""), word };
}

function withLines(run: ComposeRun, lines: readonly string[]): Partial<ComposeRun> {
  if (lines.length === 0) return {};
  const steps = new Map(run.steps.map((step) => [step.name, step]));
  const output = [...run.output];
  for (const line of lines) {
    const step = stepOf(line);
    if (step !== undefined) steps.set(step.name, step);
    else if (line.trim() !== "") output.push(line);
  }
  return { steps: [...steps.values()], output: output.slice(-outputLinesMax) };
}

/** A word that ends in -ing is still being done. */
export const stepState = ({ word }: ComposeStep): "busy" | "failed" | "done" =>
  /^(?:Error|failed)/i.test(word) ? "failed" : /^(?:\w+ing|Recreate|Downloading.*|Extracting.*)\b/.test(word) ? "busy" : "done";
