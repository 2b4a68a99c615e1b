import { EngineError, messageOf } from "#base/errors.ts";
import type { Builds, BuildResult } from "#core/builds/builds.ts";
import { StepError } from "#core/builds/stage.ts";
import { DockerfileError } from "#core/dockerfile/errors.ts";
import { type Definition, DefinitionError, prepareBuild } from "./frontend.ts";
import { Progress } from "./progress.ts";
import type { Session } from "./session.ts";
import { DetailedError } from "./status.ts";

/** One `Solve` of a client: its display, and what it has built so far. */
export class Job {
  readonly progress = new Progress();
  readonly #builds: Builds;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  /** Resolved when the job is over: what was built may go. */
  readonly #over = Promise.withResolvers<void>();
  readonly #running: Promise<unknown>[] = [];
  /** What the client's own build function returned. */
  readonly returned = Promise.withResolvers<{ ref: string } | { error: unknown }>();
  readonly #results = new Map<string, BuildResult>();
  lastFailure: unknown;

  constructor(builds: Builds, session: Session, signal: AbortSignal) {
    this.#builds = builds;
    this.#session = session;
    this.#signal = signal;
    this.returned.promise.catch(() => undefined);
  }

  get session(): Session {
    return this.#session;
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Builds a Dockerfile; the name of the result, which is there as long as the job. */
  async solve(frontend: string, attributes: ReadonlyMap<string, string>): Promise<string> {
    if (frontend !== "dockerfile.v0" && frontend !== "gateway.v0") {
      throw new EngineError("notImplemented", `frontend ${JSON.stringify(frontend)}: this engine builds Dockerfiles (dockerfile.v0)`);
    }
    if (attributes.has("requestid"))
      throw new EngineError("notImplemented", `request ${attributes.get("requestid")}: this engine answers no questions about Dockerfiles`);
    const ready = Promise.withResolvers<string>();
    const ref = String(this.#results.size + 1);
    const running = this.#build(attributes, (result) => {
      this.#results.set(ref, result);
      ready.resolve(ref);
      return this.#over.promise;
    });
    running.catch(ready.reject);
    this.#running.push(running.catch(() => undefined));
    try {
      return await ready.promise;
    } catch (error) {
      this.lastFailure = error;
      throw error;
    }
  }

  result(ref: string): BuildResult {
    const result = this.#results.get(ref);
    if (result === undefined) throw new EngineError("notFound", `no such result: ${ref}`);
    return result;
  }

  /** Lets go of everything. */
  async close(): Promise<void> {
    this.#over.resolve();
    await Promise.all(this.#running);
    this.progress.end();
  }

  async #build(attributes: ReadonlyMap<string, string>, take: (result: BuildResult) => Promise<void>): Promise<void> {
    await using undo = new AsyncDisposableStack();
    const frontend = { builds: this.#builds, session: this.#session, progress: this.progress, signal: this.#signal, undo };
    let definition: Definition | undefined;
    try {
      const prepared = await prepareBuild(frontend, attributes);
      ({ definition } = prepared);
      await this.#builds.build(prepared.request, take);
    } catch (error) {
      throw detailed(error, definition);
    }
  }
}

/** The sentence, and the lines of the Dockerfile that it is about. */
function detailed(error: unknown, definition: Definition | undefined): unknown {
  if (error instanceof DefinitionError) {
    const lines = error.cause instanceof DockerfileError ? error.cause.lines : undefined;
    return new DetailedError(error.message, lines === undefined ? [] : [sourceDetail(error.definition, lines)], { cause: error });
  }
  if (!(error instanceof StepError) || definition === undefined) return error;
  const { lines } = error.instruction.node;
  return new DetailedError(messageOf(error), [sourceDetail(definition, lines)], { cause: error });
}

function sourceDetail({ filename, text }: Definition, { start, end }: { start: number; end: number }): { url: string; json: unknown } {
  return {
    url: "github.com/moby/buildkit/errdefs.Source+json",
    json: {
      info: { filename, data: Buffer.from(text).toString("base64"), language: "Dockerfile" },
      ranges: [{ start: { line: start }, end: { line: end } }],
    },
  };
}
