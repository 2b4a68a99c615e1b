import { EngineError } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import { givenBounds } from "#core/builds/bounds.ts";
import type { CacheUse } from "#core/builds/prune.ts";
import type { CacheOption } from "./cache-import.ts";
import type { Export } from "./exporter.ts";
import { Job } from "./job.ts";
import { type Reader as Message, Reader, Writer } from "./proto.ts";
import type { BuildHistory } from "./history.ts";
import type { Call, Methods } from "./server.ts";
import type { Shelf } from "./shelf.ts";
import { solveJob } from "./solving.ts";
import type { Sessions } from "./session.ts";
import { versionRecord, worker } from "./worker.ts";

const jobMsMax = 10_000;

/** Builds that clients have asked for, by the name that each gave its own. */
export class Jobs {
  readonly #jobs = new Map<string, PromiseWithResolvers<Job>>();

  add(ref: string, job: Job): void {
    this.#slot(ref).resolve(job);
  }

  has(ref: string): boolean {
    return this.#jobs.has(ref);
  }

  /** A client may ask for the display of a build that has failed already. */
  removeLater(ref: string): void {
    setTimeout(() => this.#jobs.delete(ref), jobMsMax).unref();
  }

  /** A client asks for its build's display before the build itself has come. */
  async get(ref: string): Promise<Job> {
    const slot = this.#slot(ref);
    const late = setTimeout(() => {
      slot.reject(new EngineError("notFound", `no such job ${ref}`));
      this.#jobs.delete(ref);
    }, jobMsMax);
    try {
      return await slot.promise;
    } finally {
      clearTimeout(late);
    }
  }

  #slot(ref: string): PromiseWithResolvers<Job> {
    const known = this.#jobs.get(ref) ?? Promise.withResolvers<Job>();
    known.promise.catch(() => undefined);
    this.#jobs.set(ref, known);
    return known;
  }
}

export interface ControlParts {
  readonly builds: Builds;
  readonly sessions: Sessions;
  readonly jobs: Jobs;
  readonly history: BuildHistory;
  readonly shelf: Shelf;
  readonly version: string;
  /** What statements name as their maker. */
  readonly tool: string;
}

const service = "/moby.buildkit.v1.Control";

/** moby.buildkit.v1.Control (buildkit's api/services/control/control.proto). */
export const controlMethods = (parts: ControlParts): Methods => ({
  [`${service}/Solve`]: async (call) => await call.send(await solve(parts, call)),
  [`${service}/Status`]: async (call) => {
    const ref = new Reader(await call.request()).text(1);
    const recorded = parts.jobs.has(ref) ? undefined : parts.history.updates(ref);
    const updates = recorded ?? (await parts.jobs.get(ref)).progress.follow();
    for await (const update of updates) await call.send(update);
  },
  [`${service}/ListWorkers`]: async (call) => await call.send(new Writer().message(1, worker(parts.builds.backends, parts.version)).done()),
  [`${service}/Info`]: async (call) => await call.send(new Writer().message(1, versionRecord(parts.version)).done()),
  [`${service}/DiskUsage`]: async (call) => {
    const rows = await parts.builds.usage();
    await call.send(new Writer().messages(1, rows.map(usageRecord)).done());
  },
  [`${service}/Prune`]: async (call) => await prune(parts, call),
});

async function solve({ builds, sessions, jobs, history, shelf, tool }: ControlParts, call: Call): Promise<Buffer> {
  const request = new Reader(await call.request());
  const ref = request.text(1);
  const session = await sessions.get(request.text(5), call.signal);
  const frontend = request.text(6);
  const entitlements = request.texts(9);
  const job = new Job({
    builds,
    session,
    shelf,
    signal: call.signal,
    ref,
    frontend,
    attributes: request.map(7),
    tool,
    entitlements,
    ...cachesOf(request.message(8)),
  });
  jobs.add(ref, job);
  const wanted = exportsOf(request);
  // What a client only asks for its own sake is no build of a user's.
  const recorded = request.bool(11) || job.isQuestion ? undefined : history;
  const result = async (): Promise<string> => {
    const refused = entitlements.find((one) => !builds.backends.config.buildEntitlements.includes(one));
    if (refused !== undefined) throw new EngineError("invalidArgument", `granting entitlement ${refused} is not allowed by build daemon configuration`);
    if (request.message(2).has(1)) throw new EngineError("notImplemented", "this engine builds Dockerfiles, not LLB definitions");
    return frontend === "" ? await returnedRef(job) : await job.solve(frontend, request.map(7));
  };
  try {
    return new Writer().map(1, await solveJob(job, { wanted, history: recorded, result })).done();
  } finally {
    jobs.removeLater(ref);
  }
}

/** The client's own function drives the build, by the bridge; "" when it returned nothing. */
async function returnedRef(job: Job): Promise<string> {
  const gone = Promise.withResolvers<never>();
  const abort = (): void => gone.reject(job.signal.reason);
  job.signal.addEventListener("abort", abort, { once: true });
  try {
    const returned = await Promise.race([job.returned.promise, gone.promise]);
    if ("error" in returned) throw job.lastFailure ?? returned.error;
    return returned.ref;
  } finally {
    job.signal.removeEventListener("abort", abort);
  }
}

/** moby.buildkit.v1.CacheOptions. */
function cachesOf(options: Message): { cacheFrom: CacheOption[]; cacheTo: CacheOption[] } {
  const entries = (field: number): CacheOption[] => options.messages(field).map((one) => ({ type: one.text(1), attributes: one.map(2) }));
  return { cacheTo: entries(4), cacheFrom: entries(5) };
}

function exportsOf(request: Message): Export[] {
  const several = request.messages(13).map((one, number) => ({ type: one.text(1), attributes: one.map(2), number }));
  if (several.length > 0) return several;
  return request.text(3) === "" ? [] : [{ type: request.text(3), attributes: request.map(4), number: 0 }];
}

async function prune({ builds }: ControlParts, call: Call): Promise<void> {
  const request = new Reader(await call.request());
  const keepMs = request.int(3) / 1e6;
  const filters: Record<string, string[]> = keepMs > 0 ? { until: [`${Math.floor(keepMs)}ms`] } : {};
  for (const field of request.texts(1).flatMap((filter) => filter.split(",").filter((one) => one !== ""))) {
    const [, name = field, operator = "", value = "true"] = /^([^=~]+)([=~]=?)(.*)$/.exec(field) ?? [];
    (filters[name === "description" && operator.startsWith("~") ? "description~" : name] ??= []).push(value);
  }
  const rows = await builds.usage();
  const bounds = givenBounds({ reserved: request.int(4), maxUsed: request.int(5), minFree: request.int(6) });
  const { ids } = await builds.prune({ all: request.bool(2), bounds, filters });
  for (const row of rows) if (ids.includes(row.id)) await call.send(usageRecord(row).done());
}

const usageRecord = ({ id, type, description, bytes, shared, record }: CacheUse): Writer =>
  new Writer()
    .text(1, id)
    .bool(2, type === "exec.cachemount")
    .int(4, bytes)
    .time(6, new Date(record.created))
    .time(7, new Date(record.lastUsed))
    .int(8, record.usageCount)
    .text(9, description)
    .text(10, type)
    .bool(11, shared);
