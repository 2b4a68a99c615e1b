import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type { PostedMessage } from "#api/builds.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { notSquashed } from "#core/builds/classic-voice.ts";
import type { PostedBuild, PostedBuilds } from "#core/builds/posted.ts";
import type { ControlParts } from "./control.ts";
import type { Export } from "./exporter.ts";
import { newRef } from "./image-records.ts";
import { Job } from "./job.ts";
import { bodyContext } from "./remote-context.ts";
import { Session } from "./session.ts";
import { solveJob } from "./solving.ts";

/** BuildKit behind `POST /build?version=2`: what a client would ask of Control, in query parameters; what Control would tell, as JSON. */
export class PostedJobs implements PostedBuilds {
  readonly #parts: ControlParts;
  readonly #running = new Map<string, AbortController>();
  /** Contexts that come by requests of their own. */
  readonly #uploads = new Map<string, PromiseWithResolvers<Readable>>();

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  async start(build: PostedBuild): Promise<AsyncIterable<PostedMessage>> {
    const upload = /^upload-request:(.*)$/s.exec(build.id)?.[1];
    if (upload !== undefined) return await this.#take(upload, build);
    const { sessions } = this.#parts;
    const stop = new AbortController();
    const signal = AbortSignal.any([build.signal, stop.signal]);
    const session = build.session === "" ? Session.none : await sessions.get(build.session, signal);
    const wanted = exportsOf(build);
    const job = this.#job(build, session, signal);
    if (build.id !== "") this.#running.set(build.id, stop);
    const running = solveJob(job, { wanted, history: this.#parts.history, result: () => job.solve("dockerfile.v0", attributesOf(build)) }).finally(() => {
      this.#running.delete(build.id);
      this.#uploads.delete(build.id);
    });
    running.catch(() => undefined);
    return told(job, running, { ...build, leave: () => stop.abort(new EngineError("cancelled", "the client left the build")) });
  }

  cancel(id: string): void {
    this.#running.get(id)?.abort(new EngineError("cancelled", "the build was cancelled"));
  }

  /** Answered when the build has read it, or is over. */
  async #take(id: string, { body, signal }: PostedBuild): Promise<AsyncIterable<PostedMessage>> {
    this.#upload(id).resolve(body);
    await finished(body, { writable: false, signal }).catch(() => undefined);
    // For a build that never came.
    if (!this.#running.has(id)) this.#uploads.delete(id);
    return none();
  }

  #upload(id: string): PromiseWithResolvers<Readable> {
    const known = this.#uploads.get(id) ?? Promise.withResolvers<Readable>();
    this.#uploads.set(id, known);
    return known;
  }

  #job(build: PostedBuild, session: Session, signal: AbortSignal): Job {
    const { builds, shelf, tool } = this.#parts;
    const { remote, body, attributes, entitlements, cacheFrom, inlineCache, id } = build;
    return new Job({
      builds,
      session,
      signal,
      shelf,
      tool,
      ref: newRef(),
      frontend: "dockerfile.v0",
      attributes,
      entitlements,
      cacheFrom: cacheFrom.map((ref) => ({ type: "registry", attributes: new Map([["ref", ref]]) })),
      cacheTo: inlineCache ? [{ type: "inline", attributes: new Map() }] : [],
      body: () => (remote === "upload-request" ? this.#upload(id).promise : Promise.resolve(body)),
    });
  }
}

function attributesOf({ attributes, remote }: PostedBuild): ReadonlyMap<string, string> {
  if (remote === "client-session") return attributes;
  return new Map([...attributes, ["context", remote === "" || remote === "upload-request" ? bodyContext : remote]]);
}

function exportsOf({ outputs, names }: PostedBuild): Export[] {
  if (outputs.length > 1) throw new EngineError("invalidArgument", "multiple outputs not supported");
  const [one = { type: "moby", attributes: new Map<string, string>() }] = outputs;
  const isImage = one.type === "moby" || one.type === "image";
  return [{ ...one, attributes: isImage && names.length > 0 ? new Map([...one.attributes, ["name", names.join(",")]]) : one.attributes, number: 0 }];
}

async function* none(): AsyncGenerator<PostedMessage> {}

/** The display as it comes, then the image, or what went wrong. */
async function* told(
  job: Job,
  running: Promise<Record<string, string>>,
  { quiet, squash, leave }: Pick<PostedBuild, "quiet" | "squash"> & { leave: () => void },
): AsyncGenerator<PostedMessage> {
  try {
    for await (const update of job.progress.follow()) if (!quiet) yield { id: "moby.buildkit.trace", aux: update.toString("base64") };
    const digest = (await running)["containerimage.digest"];
    if (digest !== undefined) yield quiet ? { stream: `${digest}\n` } : { id: "moby.image.id", aux: { ID: digest } };
    if (squash) throw notSquashed();
  } catch (error) {
    yield { errorDetail: { message: messageOf(error) }, error: messageOf(error) };
  } finally {
    leave();
    await running.catch(() => undefined);
  }
}
