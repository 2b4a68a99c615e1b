import { mkdirSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import { giveToRoot, usersAreMapped } from "../containers/mapped-users.ts";
import { generateId } from "../containers/names.ts";
import type { BuiltLayer } from "../images/building.ts";
import { formatPlatform, type Platform } from "../images/platform.ts";
import type { SpecMount } from "../specs/builder.ts";
import { imageState } from "./base.ts";
import { cacheKey, epochKey } from "./cache.ts";
import { imageDigest, wholeName } from "./find.ts";
import { MountPoints } from "./mount-points.ts";
import type { ScannerRequest } from "./request.ts";
import { openDirectory, openRoot } from "./roots.ts";
import { execute, RunFailed, writtenLayer } from "./run.ts";
import { removeGiven, withoutGiven } from "./root-tree.ts";
import { StageArgs } from "./scope.ts";
import type { Source } from "./sources.ts";
import type { StageState } from "./state.ts";
import { resolved } from "./tree.ts";
import { upperTar } from "./upper.ts";
import type { BuildWork } from "./work.ts";

/** What a scanner looks through. */
export interface ScanTargets {
  readonly platform: Platform;
  /** The image that was built. */
  readonly core: Source;
  /** Other stages and the context, by their names. */
  readonly extras: ReadonlyMap<string, Source>;
  /** Done although the same was scanned before. */
  readonly ignoresCache: boolean;
}

/** A file that a scanner has written. */
export interface ScannedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const sourceDirectory = "/run/src";
const outDirectory = "/run/out";
const scannedBytesMax = 256 * 1024 * 1024;

/** A generator of SBOMs, run by BuildKit's protocol (its docs/attestations/sbom-protocol.md). */
export class Scanner {
  readonly #work: BuildWork;
  readonly #name: string;
  readonly #parameters: ReadonlyMap<string, string>;
  readonly #image: Promise<StageState>;

  private constructor(work: BuildWork, { reference, parameters }: ScannerRequest, found: StageState | undefined) {
    this.#work = work;
    this.#name = wholeName(reference) ?? reference;
    this.#parameters = parameters;
    this.#image = this.#come(reference, found);
    this.#image.catch(() => undefined);
  }

  /** Rejects before anything is built where the image cannot be had; it comes while the build goes on. */
  static async find(work: BuildWork, request: ScannerRequest): Promise<Scanner> {
    const { reference } = request;
    const watch = work.request.observer.beside(`resolve image config for docker-image://${wholeName(reference) ?? reference}`);
    try {
      const digest = await imageDigest(work, { reference, platform: undefined });
      const state = digest === undefined ? await scannerState(work, reference) : undefined;
      watch.finished(() => state?.base);
      return new Scanner(work, request, state);
    } catch (error) {
      watch.failed(error);
      throw error;
    }
  }

  /** What it has written about the targets, by name. */
  async scan(targets: ScanTargets): Promise<ScannedFile[]> {
    const work = this.#work;
    const image = await this.#image;
    const { Entrypoint, Cmd, Env, WorkingDir } = image.config;
    const command = { args: [...(Entrypoint ?? []), ...(Cmd ?? [])], env: [...(Env ?? []), ...this.#variables(targets)], workdir: WorkingDir ?? "" };
    if (command.args.length === 0) throw new EngineError("invalidArgument", `scanner ${this.#name} does not have cmd`);
    const shown = [["core/sbom", targets.core] as const, ...[...targets.extras].map(([name, source]) => [`extras/sbom-${name}`, source] as const)];
    const contents = await Promise.all(shown.map(async ([place, source]) => [place, await source.key("")]));
    const key = cacheKey("scan", image.diffIds, command, contents, ...epochKey(work));
    const name = `[${formatPlatform(targets.platform)}] generating sbom using ${this.#name}`;
    const watch = work.request.observer.beside(name);
    try {
      const step = { key, stage: "", description: name, watch, fresh: targets.ignoresCache };
      const output = (stream: "stdout" | "stderr", chunk: Buffer): void | Promise<void> => watch.output(stream, chunk);
      const { layer } = await work.once(step, () => run(work, { image, ...command, shown, output }));
      watch.finished(() => undefined);
      return layer === undefined ? [] : await filesOf(work, layer);
    } catch (error) {
      watch.failed(error);
      throw error;
    }
  }

  #variables({ extras }: ScanTargets): string[] {
    return [
      `BUILDKIT_SCAN_DESTINATION=${outDirectory}/`,
      `BUILDKIT_SCAN_SOURCE=${sourceDirectory}/core/sbom`,
      ...(extras.size === 0 ? [] : [`BUILDKIT_SCAN_SOURCE_EXTRAS=${sourceDirectory}/extras`]),
      ...[...this.#parameters].map(([name, value]) => `BUILDKIT_SCAN_${name}=${value}`),
    ];
  }

  async #come(reference: string, found: StageState | undefined): Promise<StageState> {
    const watch = this.#work.request.observer.beside(`docker-image://${this.#name}`);
    try {
      const state = found ?? (await scannerState(this.#work, reference, (message) => watch.pulling(message)));
      watch.finished(() => state.base);
      return state;
    } catch (error) {
      watch.failed(error);
      throw error;
    }
  }
}

/** It runs on this machine, whatever platform it looks at. */
const scannerState = (work: BuildWork, reference: string, pulling: Parameters<typeof imageState>[1]["pulling"] = () => undefined): Promise<StageState> =>
  imageState(work, { reference, platform: undefined, pulling }, new StageArgs(new Map(), new Map()));

interface Scan {
  readonly image: StageState;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workdir: string;
  /** By their places below the sources' directory. */
  readonly shown: readonly (readonly [string, Source])[];
  readonly output: (stream: "stdout" | "stderr", chunk: Buffer) => void | Promise<void>;
}

/** Runs it in a root of its own that nobody sees again; what it put out, as a layer. */
async function run(work: BuildWork, { image, args, env, workdir, shown, output }: Scan): Promise<BuiltLayer | undefined> {
  const { backends, request } = work;
  await using undo = new AsyncDisposableStack();
  const userns = usersAreMapped(backends, {}) ? backends.userns : undefined;
  const id = generateId();
  const { rootfs } = await openRoot(backends, image.diffIds, { id, mapped: userns !== undefined });
  undo.defer(() => backends.snapshots.remove(id));
  const mounts: SpecMount[] = [{ type: "tmpfs", destination: "/tmp", readOnly: false, options: [] }];
  for (const [place, source] of shown) {
    const seen = await openRoot(backends, await source.layers(), { mapped: userns !== undefined });
    undo.defer(() => backends.snapshots.remove(seen.id));
    removeGiven(seen.rootfs, backends.kernel);
    mounts.push({ type: "bind", source: seen.rootfs, destination: `${sourceDirectory}/${place}`, readOnly: true });
  }
  const out = work.scratch();
  mkdirSync(out, { mode: 0o755 });
  giveToRoot(userns?.map, out);
  const all: SpecMount[] = [...mounts, { type: "bind", source: out, destination: outDirectory, readOnly: false }];
  MountPoints.make(backends.kernel, rootfs, all, userns?.map);
  const { signal, epoch } = request;
  const end = await execute(
    backends,
    { id, rootfs },
    { args, env, user: "", workdir, hostname: "buildkitsandbox", hostConfig: {}, mounts: all, userns, output, signal },
  );
  signal.throwIfAborted();
  if (end.exitCode !== 0) throw new RunFailed(args, end);
  using directory = openDirectory(backends.kernel, out);
  return await writtenLayer(backends, upperTar({ directory, kernel: backends.kernel, below: () => work.roots.tree([]), latest: epoch }), signal);
}

async function filesOf(work: BuildWork, { diffId }: BuiltLayer): Promise<ScannedFile[]> {
  const tree = withoutGiven(await work.roots.tree([diffId]));
  const files: ScannedFile[] = [];
  let left = scannedBytesMax;
  for (const name of tree.names("")) {
    const entry = tree.lstat(resolved(tree, name));
    if (entry?.type !== "file")
      throw new EngineError("invalidArgument", `cannot decode in-toto statement: ${name} is ${entry === undefined ? "missing" : `a ${entry.type}`}`);
    left -= entry.size;
    if (left < 0) throw new EngineError("exhausted", `the scanner wrote more than the ${scannedBytesMax} bytes accepted`);
    const chunks: Buffer[] = [];
    for await (const chunk of tree.read(entry)) chunks.push(chunk);
    files.push({ name, bytes: Buffer.concat(chunks) });
  }
  return files;
}

/** A boolean as Go reads it, or names of stages. */
export function asksFor(value: string | undefined, stage: string): boolean {
  if (value === undefined || /^(0|f|false)$/i.test(value)) return false;
  return /^(1|t|true)$/i.test(value) || value.split(",").includes(stage);
}
