import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { IgnorePatterns, readIgnoreFile } from "#api/dockerignore.ts";
import { criticalPath, type BuildDetails, type BuildMessage, type BuildOptions, type BuildSummary } from "#api/builds.ts";
import { familiarName, normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import { Outlet } from "#core/builds/outlet.ts";
import type { BuildRequest } from "#core/builds/request.ts";
import { TarTree } from "#core/builds/tar-tree.ts";
import { treePath } from "#core/builds/tree.ts";
import { parsePlatform } from "#core/images/platform.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { checked } from "./checks.ts";
import { readAttributes } from "./attributes.ts";
import { type Definition, parsed, treeDefinition } from "./frontend.ts";
import { shown } from "./frontend-work.ts";
import type { BuildHistory, BuildRecord, HistoryEvent } from "./history.ts";
import { argPrefix, folderKey, imageRecord, toldOf } from "./image-records.ts";
import { Progress } from "./progress.ts";
import { failureOf } from "./recording.ts";
import { detailed } from "./source.ts";
import { grpcCodes } from "./status.ts";
import { UpdateReader } from "./updates.ts";

export interface FolderBuild {
  readonly options: BuildOptions;
  /** A tar of the folder. */
  readonly context: Readable;
  readonly auth: (image: string) => Promise<RegistryAuth | undefined>;
  readonly signal: AbortSignal;
}

/** Builds as a window shows them: those of a folder that is sent along, and the history of all. */
export class FolderBuilds {
  readonly #builds: Builds;
  readonly #history: BuildHistory;

  constructor(builds: Builds, history: BuildHistory) {
    this.#builds = builds;
    this.#history = history;
  }

  /** Newest first. */
  list(): BuildSummary[] {
    return this.#history
      .list()
      .map(({ record }) => summaryOf(record))
      .toReversed();
  }

  read(ref: string): BuildDetails {
    const record = this.#history.find(ref);
    if (record === undefined) throw new EngineError("notFound", `No such build: ${ref}`);
    const reader = new UpdateReader();
    const updates = (this.#history.updates(ref) ?? []).map((message) => reader.read(message));
    const steps = new Map(updates.flatMap((update) => update.steps).map((step) => [step.id, step]));
    const told = { updates, criticalPath: criticalPath([...steps.values()]) };
    return { ...summaryOf(record), ...(record.source === undefined ? {} : { source: record.source }), ...told };
  }

  remove(ref: string): void {
    if (this.#history.remove(ref)) return;
    if (this.#history.find(ref) !== undefined) throw new EngineError("conflict", `build ${ref} is under way: cancel it first`);
    throw new EngineError("notFound", `No such build: ${ref}`);
  }

  /** What becomes of builds from now on, by their refs. */
  async *changes(signal: AbortSignal): AsyncGenerator<{ kind: HistoryEvent["kind"]; ref: string }> {
    const outlet = new Outlet<{ kind: HistoryEvent["kind"]; ref: string }>();
    using _listening = this.#history.listen(({ kind, record }) => void outlet.push({ kind, ref: record.ref }));
    const leave = (): void => outlet.end();
    signal.addEventListener("abort", leave, { once: true });
    if (!signal.aborted) yield* outlet;
  }

  /** Rejects while nothing was told of the build; later a failure is its last message. A reader who leaves ends the build. */
  async start({ options, context, auth, signal }: FolderBuild): Promise<AsyncIterable<BuildMessage>> {
    const names = [...new Set(options.tags.map((tag) => normalizedName(withDefaultTag(parseReference(tag)))))];
    const platform = options.platform === "" ? undefined : parsePlatform(options.platform, this.#builds.backends.host);
    const { backends } = this.#builds;
    const tree = await TarTree.spool(backends.builder.plain(context, signal), join(backends.paths.buildWork, `context-${randomUUID()}`), signal);
    const left = new AbortController();
    const progress = new Progress();
    const record = imageRecord(options, names, progress.steps);
    this.#history.begin(record);
    const work = { options, names, platform, auth, tree, progress, signal: AbortSignal.any([signal, left.signal]) };
    const running = this.#run(work, record).finally(() => progress.end());
    running.catch(() => undefined);
    return (async function* () {
      try {
        yield { ref: record.ref };
        const reader = new UpdateReader();
        for await (const message of progress.follow()) yield { update: reader.read(message) };
        yield await running;
      } finally {
        left.abort(new EngineError("cancelled", "the build was cancelled"));
        await running;
      }
    })();
  }

  /** Builds and writes down; what it says in the end. */
  async #run(work: Work, record: BuildRecord): Promise<BuildMessage> {
    const { tree, progress, signal } = work;
    const end = (more: Partial<BuildRecord>): void =>
      this.#history.end({ ...record, ...more, completed: new Date().toISOString(), steps: progress.steps }, progress.recorded);
    try {
      const image = await this.#build(work);
      end(toldOf(image, work.names));
      return { image };
    } catch (error) {
      const failure = failureOf(signal.aborted ? new EngineError("cancelled", "the build was cancelled") : error);
      end(failure);
      return {
        error: failure.error?.message ?? messageOf(error),
        cancelled: signal.aborted,
        ...(failure.source === undefined ? {} : { source: failure.source }),
      };
    } finally {
      await tree[Symbol.asyncDispose]();
    }
  }

  async #build({ options, names, platform, auth, tree, progress, signal }: Work): Promise<string> {
    const given = new Map(Object.entries(options.args).map(([name, value]) => [`${argPrefix}${name}`, value]));
    const attributes = readAttributes(given.set("filename", options.dockerfile), this.#builds.backends.host);
    let definition: Definition | undefined;
    try {
      const { text } = await shown(
        progress,
        `[internal] load build definition from ${options.dockerfile}`,
        async () => await treeDefinition(tree, attributes.filename),
      );
      definition = { filename: options.dockerfile, text };
      const { source, dockerfile } = parsed(definition);
      for (const warning of (await checked(this.#builds, { source, dockerfile }, attributes)).warnings) progress.warn(warning, definition);
      await hideIgnored(tree, options.dockerfile);
      const request: BuildRequest = {
        flavor: "buildkit",
        source,
        dockerfile,
        target: options.target,
        args: attributes.args,
        labels: {},
        ignoresCache: () => options.noCache,
        pull: options.pull,
        platform,
        hostConfig: attributes.hostConfig,
        context: () => Promise.resolve(tree),
        named: new Map(),
        auth,
        secret: () => Promise.resolve(undefined),
        ssh: () => Promise.resolve(undefined),
        epoch: undefined,
        observer: progress,
        signal,
      };
      const named = names.length === 0 ? "exporting the image" : `naming to ${names.join(", ")}`;
      let image = "";
      await this.#builds.build(request, async (result) => void (image = await shown(progress, named, () => result.register(names))));
      return image;
    } catch (error) {
      throw detailed(error, definition);
    }
  }
}

interface Work {
  readonly options: BuildOptions;
  readonly names: readonly string[];
  readonly platform: BuildRequest["platform"];
  readonly auth: FolderBuild["auth"];
  readonly tree: TarTree;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The Dockerfile is sent even where .dockerignore names it; instructions do not see it then. */
async function hideIgnored(tree: TarTree, dockerfile: string): Promise<void> {
  const entry = tree.lstat(".dockerignore");
  if (entry?.type !== "file") return;
  const chunks: Buffer[] = [];
  for await (const chunk of tree.read(entry)) chunks.push(chunk);
  const ignored = new IgnorePatterns(readIgnoreFile(Buffer.concat(chunks).toString("utf8")));
  for (const path of [treePath(dockerfile), ".dockerignore"]) if (ignored.ignores(path)) tree.remove(path);
}

function summaryOf({ ref, attributes, exporters, created, completed, error, steps }: BuildRecord): BuildSummary {
  const args = Object.entries(attributes).flatMap(([key, value]) => (key.startsWith(argPrefix) ? [[key.slice(argPrefix.length), value] as const] : []));
  const state = completed === undefined ? "running" : error === undefined ? "done" : error.code === grpcCodes.cancelled ? "cancelled" : "failed";
  const names = exporters.flatMap((one) => (one.attributes["name"] ?? "").split(","));
  return {
    ref,
    state,
    created,
    ...(completed === undefined ? {} : { completed }),
    ...(error === undefined ? {} : { error: error.message }),
    steps,
    options: {
      folder: attributes[folderKey] ?? attributes["vcs:localdir:context"] ?? "",
      dockerfile: attributes["filename"] ?? "Dockerfile",
      target: attributes["target"] ?? "",
      platform: attributes["platform"] ?? "",
      tags: [...new Set(names.filter((name) => name !== ""))].map((name) => familiarName(parseReference(name))),
      args: Object.fromEntries(args),
      noCache: attributes["no-cache"] !== undefined,
      pull: attributes["image-resolve-mode"] === "pull",
    },
  };
}
