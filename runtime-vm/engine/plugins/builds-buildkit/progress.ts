import { createHash, randomUUID } from "node:crypto";
import { messageOf } from "#base/errors.ts";
import { Outlet } from "#core/builds/outlet.ts";
import type { BuildObserver, StepInfo, StepWatch } from "#core/builds/request.ts";
import type { CheckWarning } from "#core/dockerfile/check.ts";
import { checkRules, ruleUrl } from "#core/dockerfile/check-rules.ts";
import { Writer } from "./proto.ts";

const recordedBytesMax = 4 * 1024 * 1024;

/** A line of a progress display that has a beginning and an end. */
export interface Vertex {
  readonly digest: string;
  log(stream: 1 | 2, text: Uint8Array): void | Promise<void>;
  /** A part of it, with how far it has come. */
  status(id: string, what: { current?: number; total?: number; started: Date; completed?: Date }): void;
  cached(): void;
  done(): void;
  failed(message: string): void;
}

/** What a client draws: `StatusResponse`s of moby.buildkit.v1.Control. */
export class Progress implements BuildObserver {
  readonly #outlet = new Outlet<Buffer>();
  readonly #recorded: Buffer[] = [];
  #recordedBytes = 0;
  /** Told to nobody while it goes on. */
  readonly #isOnlyRecorded: boolean;
  #isFollowed = false;
  #isOver = false;
  /** There while somebody who came later waits. */
  #more: PromiseWithResolvers<void> | undefined;
  #vertices = { total: 0, completed: 0, cached: 0 };
  warnings = 0;
  /** Of the line that shows how the Dockerfile is read. */
  #definition = "";
  /** The vertex of each instruction that failed, by its error. */
  readonly failures = new Map<unknown, string>();

  constructor({ isOnlyRecorded = false }: { readonly isOnlyRecorded?: boolean } = {}) {
    this.#isOnlyRecorded = isOnlyRecorded;
  }

  /** To the first reader as it comes; whoever asks later hears what is recorded, and goes on from there. */
  follow(): AsyncIterable<Buffer> {
    if (this.#isFollowed) return this.#again();
    this.#isFollowed = true;
    return this.#outlet;
  }

  async *#again(): AsyncGenerator<Buffer> {
    for (let at = 0; ; ) {
      yield* this.#recorded.slice(at, (at = this.#recorded.length));
      if (this.#recorded.length > at) continue;
      if (this.#isOver) return;
      await (this.#more ??= Promise.withResolvers()).promise;
    }
  }

  /** Everything so far, to be shown again; of what steps said, as much as is kept. */
  get recorded(): readonly Buffer[] {
    return this.#recorded;
  }

  get steps(): { total: number; completed: number; cached: number; warnings: number } {
    return { ...this.#vertices, warnings: this.warnings };
  }

  end(): void {
    this.#isOver = true;
    this.#more?.resolve();
    this.#outlet.end();
  }

  #push(message: Buffer, isLog = false): void | Promise<void> {
    if (!isLog || this.#recordedBytes + message.length <= recordedBytesMax) {
      this.#recordedBytes += message.length;
      this.#recorded.push(message);
      this.#more?.resolve();
      this.#more = undefined;
    }
    return this.#isOnlyRecorded ? undefined : this.#outlet.push(message);
  }

  vertex(name: string): Vertex {
    const digest = `sha256:${createHash("sha256").update(randomUUID()).digest("hex")}`;
    const started = new Date();
    let cached = false;
    const tell = (end: { completed?: Date; error?: string }): void => {
      const vertex = new Writer()
        .text(1, digest)
        .text(3, name)
        .bool(4, cached)
        .time(5, started)
        .time(6, end.completed)
        .text(7, end.error ?? "");
      void this.#push(new Writer().message(1, vertex).done());
    };
    this.#vertices.total += 1;
    if (this.#definition === "") this.#definition = digest;
    tell({});
    const ended = (): void => {
      this.#vertices.completed += 1;
      if (cached) this.#vertices.cached += 1;
    };
    return {
      digest,
      log: (stream, text) => {
        const log = new Writer().text(1, digest).time(2, new Date()).int(3, stream).bytes(4, text);
        return this.#push(new Writer().message(3, log).done(), true);
      },
      status: (id, { current = 0, total = 0, started: begun, completed }) => {
        const status = new Writer().text(1, id).text(2, digest).int(4, current).int(5, total).time(6, new Date()).time(7, begun).time(8, completed);
        void this.#push(new Writer().message(2, status).done(), true);
      },
      cached: () => {
        cached = true;
      },
      done: () => {
        ended();
        tell({ completed: new Date() });
      },
      failed: (error) => {
        ended();
        tell({ completed: new Date(), error });
      },
    };
  }

  /** Beside the line of the Dockerfile's reading. */
  warn({ rule, detail, lines }: CheckWarning, { filename, text }: { filename: string; text: string }): void {
    this.warnings += 1;
    const info = new Writer().text(1, filename).bytes(2, Buffer.from(text)).text(4, "Dockerfile");
    const line = (number: number): Writer => new Writer().int(1, number);
    const warning = new Writer()
      .text(1, this.#definition)
      .int(2, 1)
      .bytes(3, Buffer.from(`${rule}: ${detail} (line ${lines.start})`))
      .bytes(4, Buffer.from(checkRules[rule]))
      .text(5, ruleUrl(rule))
      .message(6, info)
      .message(7, new Writer().message(1, line(lines.start)).message(2, line(lines.end)));
    void this.#push(new Writer().message(4, warning).done());
  }

  say(text: string): void {
    const vertex = this.vertex(`[internal] ${text}`);
    vertex.done();
  }

  beside(text: string): StepWatch {
    return this.#watch(this.vertex(text), text);
  }

  /** The same display, for the steps of one of several platforms. */
  under(platform: string): BuildObserver {
    return {
      say: (text) => this.say(text),
      beside: (text) => this.beside(text),
      finding: (name) => this.#finding(`${platform} internal`, name),
      step: (info) => this.#step(info, `${platform} `),
    };
  }

  finding(name: string): Pick<StepWatch, "finished" | "failed"> {
    return this.#finding("internal", name);
  }

  #finding(label: string, name: string): Pick<StepWatch, "finished" | "failed"> {
    const vertex = this.vertex(`[${label}] load metadata for ${name}`);
    return { finished: () => vertex.done(), failed: (error) => vertex.failed(messageOf(error)) };
  }

  step(info: StepInfo): StepWatch {
    return this.#step(info, "");
  }

  #step(info: StepInfo, prefix: string): StepWatch {
    if (info.kind === "config" || info.place === 0) return { running() {}, output() {}, cached() {}, pulling() {}, finished() {}, failed: () => undefined };
    return this.#watch(this.vertex(nameOfStep(info, prefix)), info.kind === "from" ? info.text : "");
  }

  #watch(vertex: Vertex, text: string): StepWatch {
    const image = /^(?:FROM |docker-image:\/\/)(\S+)/.exec(text)?.[1];
    const now = new Date();
    if (image !== undefined) vertex.status(`resolve ${image}`, { started: now, completed: now });
    return {
      running: () => undefined,
      output: (stream, chunk) => vertex.log(stream === "stdout" ? 1 : 2, chunk),
      cached: () => vertex.cached(),
      pulling: layersComing(vertex),
      finished: () => vertex.done(),
      failed: (error) => {
        this.failures.set(error, vertex.digest);
        vertex.failed(messageOf(error));
      },
    };
  }
}

/** A pull's messages as parts of a step: each layer's bytes as they come, and its unpacking. */
function layersComing(vertex: Vertex): StepWatch["pulling"] {
  const parts = new Map<string, { readonly started: Date; total: number }>();
  const tell = (name: string, { current = 0, total = 0 }: { current?: number; total?: number } = {}): void => {
    const part = parts.get(name) ?? { started: new Date(), total };
    parts.set(name, Object.assign(part, { total }));
    vertex.status(name, { current, total, started: part.started });
  };
  const end = (name: string): void => {
    const { started = new Date(), total = 0 } = parts.get(name) ?? {};
    vertex.status(name, { current: total, total, started, completed: new Date() });
  };
  return ({ id, status, progressDetail }) => {
    if (id === undefined) return;
    if (status === "Downloading") tell(id, progressDetail);
    else if (status === "Download complete") end(id);
    else if (status === "Extracting") tell(`extracting ${id}`);
    else if (status === "Pull complete") end(`extracting ${id}`);
  };
}

function nameOfStep({ stage, place, places, text }: StepInfo, prefix: string): string {
  const name = stage.shown === "" ? "" : `${stage.shown} `;
  const width = String(places).length;
  // A heredoc's lines are its own.
  const [line = ""] = text.split("\n");
  return `[${prefix}${name}${String(place).padStart(width)}/${places}] ${line}`;
}
