import type { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import type { Builds, BuildResult } from "#core/builds/builds.ts";
import type { Descriptor } from "#core/content/content.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import type { StageState } from "#core/builds/state.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";
import { checkCaches, exportCache } from "./cache-export.ts";
import { type CacheOption, importCaches } from "./cache-import.ts";
import { type Export, exportResult, type Shipment, type Shipped } from "./exporter.ts";
import { type Definition, type Prepared, prepareBuild } from "./frontend.ts";
import { Progress } from "./progress.ts";
import { invocationId, type ProvenanceOptions, provenance, provenanceOptions } from "./provenance.ts";
import { answered } from "./questions.ts";
import { detailed } from "./source.ts";
import { sbomStatements } from "./sbom.ts";
import type { Session } from "./session.ts";
import type { Shelf } from "./shelf.ts";
import type { Statement } from "./documents.ts";

/** What a build of the client has given: of each platform, the image and what can be said of it. */
interface Outcome {
  readonly results: readonly BuildResult[];
  readonly prepared: Prepared;
  readonly locals: readonly string[];
  readonly finished: Date;
}

export interface JobParts {
  readonly builds: Builds;
  readonly session: Session;
  readonly signal: AbortSignal;
  /** Where builds find each other's results. */
  readonly shelf: Shelf;
  readonly ref: string;
  readonly frontend: string;
  readonly entitlements: readonly string[];
  readonly attributes: ReadonlyMap<string, string>;
  /** What statements name as their maker. */
  readonly tool: string;
  readonly cacheFrom: readonly CacheOption[];
  readonly cacheTo: readonly CacheOption[];
  /** The context that came with the request, where `bodyContext` is asked for. */
  readonly body?: () => Promise<Readable>;
}

/** One `Solve` of a client: its display, and what it has built so far. */
export class Job {
  readonly progress = new Progress();
  readonly started = new Date();
  readonly parts: JobParts;
  /** Resolved when the job is over: what was built may go. */
  readonly #over = Promise.withResolvers<void>();
  readonly #running: Promise<unknown>[] = [];
  /** What the client's own build function returned. */
  readonly returned = Promise.withResolvers<{ ref: string } | { error: unknown }>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #made: BuiltLayer[] = [];
  lastFailure: unknown;
  /** The Dockerfile that was read last. */
  definition: Definition | undefined;

  constructor(parts: JobParts) {
    this.parts = parts;
    this.returned.promise.catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.parts.signal;
  }

  /** Builds a Dockerfile; the name of the result, which is there as long as the job. */
  async solve(frontend: string, attributes: ReadonlyMap<string, string>, inputs: ReadonlyMap<string, string> = new Map()): Promise<string> {
    if (frontend !== "dockerfile.v0" && frontend !== "gateway.v0") {
      throw new EngineError("notImplemented", `frontend ${JSON.stringify(frontend)}: this engine builds Dockerfiles (dockerfile.v0)`);
    }
    const ready = Promise.withResolvers<string>();
    const running = this.#build(attributes, inputs, (outcome) => {
      const ref = String(this.#outcomes.size + 1);
      this.#outcomes.set(ref, outcome);
      this.parts.shelf.put(
        this.publicName(ref),
        outcome.results.map(({ state }) => state),
      );
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

  /** A result's name among those of all builds. */
  publicName(ref: string): string {
    return `${this.parts.ref}/${ref}`;
  }

  /** What a client needs to know of a result to build on it. */
  metadata(ref: string): Record<string, string> {
    const { results } = this.#outcome(ref);
    const configs = results.map(({ state }) => [`containerimage.config${results.length === 1 ? "" : `/${formatPlatform(state.platform)}`}`, state] as const);
    return Object.fromEntries(configs.map(([name, state]) => [name, JSON.stringify(state.image().config)]));
  }

  /** Tells what a client asks about a Dockerfile. */
  async answer(attributes: ReadonlyMap<string, string>): Promise<Record<string, string>> {
    await using undo = new AsyncDisposableStack();
    const { builds, session, signal } = this.parts;
    const frontend = {
      builds,
      session,
      progress: this.progress,
      signal,
      undo,
      locals: new Set<string>(),
      result: () => [],
      entitlements: [],
      imported: undefined,
      body: this.parts.body,
    };
    const prepared = await prepareBuild(frontend, attributes).catch((error: unknown) => {
      throw (this.lastFailure = detailed(error, undefined));
    });
    return answered(attributes.get("requestid") ?? "", prepared, prepared.checked);
  }

  /** Hands a result out, everywhere the client wants it. */
  async deliver(ref: string, wanted: readonly Export[]): Promise<Shipped[]> {
    const { builds, session, signal } = this.parts;
    const { results, prepared } = this.#outcome(ref);
    const statements = this.statements(ref);
    const shipment: Shipment = {
      builds,
      session,
      signal,
      progress: this.progress,
      built: results.map((result, i) => ({ result, statements: statements[i] })),
      tool: this.parts.tool,
      epoch: prepared.attributes.epoch,
      inlineCache: this.parts.cacheTo.some(({ type }) => type === "inline"),
      made: this.#made,
    };
    const shipped: Shipped[] = [];
    for (const one of wanted) shipped.push(await exportResult(shipment, one));
    const content = {
      records: [...new Map(results.flatMap(({ records }) => records).map((record) => [record.key, record])).values()],
      final: new Set(results.flatMap(({ state }) => state.diffIds)),
      made: this.#made,
    };
    for (const one of this.parts.cacheTo) shipped.push({ told: await exportCache({ builds, session, signal, progress: this.progress }, one, content) });
    return shipped;
  }

  /** What can be said of each platform's image, as far as the client asks for it; undefined where it asks for nothing. */
  statements(ref: string): (readonly Statement[] | undefined)[] {
    const asked = provenanceOptions(this.parts.attributes);
    const provenances = asked === undefined ? [] : this.#provenance(ref, asked);
    return this.#outcome(ref).results.map(({ scanned }, i) => {
      if (scanned === undefined && asked === undefined) return undefined;
      return [...sbomStatements(scanned ?? []), ...(provenances[i] ?? [])];
    });
  }

  #provenance(ref: string, asked: ProvenanceOptions): (readonly Statement[])[] {
    const { attributes, builds } = this.parts;
    const { results, prepared, locals, finished } = this.#outcome(ref);
    return results.map(({ materials }) => {
      const { definition } = prepared;
      const origin = { frontend: "dockerfile.v0", definition, materials, started: this.started, finished, host: builds.backends.host, locals };
      return [provenance({ ...origin, invocation: invocationId(this.parts.ref), attributes }, asked)];
    });
  }

  /** The client wants to be told something, and nothing built. */
  get isQuestion(): boolean {
    return this.parts.attributes.has("requestid");
  }

  /** What there is of each platform, for the history. */
  images(ref: string, shipped: readonly Shipped[]): { platform: Platform; image?: Descriptor; statements: readonly Statement[] }[] {
    const statements = this.#provenance(ref, provenanceOptions(this.parts.attributes) ?? { mode: "max", inlineOnly: true, version: "v0.2" });
    const image = shipped.find((one) => one.image !== undefined)?.image;
    return this.#outcome(ref).results.map(({ state }, i) => {
      const manifest = image?.images[i]?.manifest;
      return { platform: state.platform, ...(manifest === undefined ? {} : { image: manifest }), statements: statements[i] ?? [] };
    });
  }

  /** Lets go of everything. */
  async close(): Promise<void> {
    this.#over.resolve();
    await Promise.all(this.#running);
    if (this.#made.length > 0) await this.parts.builds.backends.builder.collectLayers(this.#made);
    this.progress.end();
  }

  #outcome(ref: string): Outcome {
    const outcome = this.#outcomes.get(ref);
    if (outcome === undefined) throw new EngineError("notFound", `no such result: ${ref}`);
    return outcome;
  }

  async #build(attributes: ReadonlyMap<string, string>, inputs: ReadonlyMap<string, string>, take: (outcome: Outcome) => Promise<void>): Promise<void> {
    await using undo = new AsyncDisposableStack();
    const { builds, session, signal, shelf, cacheFrom, cacheTo, entitlements, body } = this.parts;
    checkCaches(cacheTo);
    const asked = cacheFrom.length > 0 ? cacheFrom : cachesIn(attributes.get("cache-imports"));
    const imported = await importCaches({ builds, session, signal, progress: this.progress }, asked);
    const result = (name: string): readonly StageState[] => shelf.get(inputs.get(name) ?? "");
    const locals = new Set<string>();
    let definition: Definition | undefined;
    try {
      const frontend = { builds, session, progress: this.progress, signal, undo, locals, result, imported, entitlements, body };
      const prepared = await prepareBuild(frontend, attributes);
      ({ definition } = prepared);
      this.definition = definition;
      const ready = prepared.requests.map(() => Promise.withResolvers<BuildResult>());
      const taken = Promise.all(ready.map(({ promise }) => promise)).then((results) => take({ results, prepared, locals: [...locals], finished: new Date() }));
      taken.catch(() => undefined);
      const building = prepared.requests.map(async (request, i) => {
        try {
          await builds.build(request, (result) => {
            ready[i]?.resolve(result);
            return taken;
          });
        } catch (error) {
          ready[i]?.reject(error);
          throw error;
        }
      });
      const settled = await Promise.allSettled(building);
      const failed = settled.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    } catch (error) {
      throw detailed(error, definition);
    }
  }
}

/** Caches as a client's own build function tells them. */
function cachesIn(text: string | undefined): CacheOption[] {
  if (text === undefined || text === "") return [];
  const options = JSON.parse(text) as { Type: string; Attrs: Record<string, string> }[];
  return options.map(({ Type, Attrs }) => ({ type: Type, attributes: new Map(Object.entries(Attrs)) }));
}
