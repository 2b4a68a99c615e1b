import type { ContainerConfig } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import { EngineError } from "#base/errors.ts";
import type { Digest } from "../content/content.ts";
import { tarEnd, tarHead } from "../layers/tar-writer.ts";
import { whiteoutPrefix } from "../layers/layer-path.ts";
import { mergeImageConfig } from "../specs/merge.ts";
import { withBaseRoot } from "./base-root.ts";
import { type Change, type Trees, changesOf } from "./changes.ts";
import { applyChanges } from "./commit-changes.ts";
import type { Container } from "./container.ts";
import { publishEvent } from "./events.ts";
import { withRoot } from "./root.ts";
import { pauseContainer, unpauseContainer } from "./stop.ts";
import type { Supervisor } from "./supervisor.ts";
import { gathered, latin, tarFile } from "./tar-files.ts";
import { View } from "./view.ts";

export interface CommitOptions {
  /** Reference of the new image, checked already; absent: it has no name. */
  readonly name?: string;
  readonly author: string;
  readonly comment: string;
  /** Dockerfile lines. */
  readonly changes: readonly string[];
  /** Holds the processes still while their files are read. */
  readonly pause: boolean;
  /** Instead of the container's own. */
  readonly config?: ContainerConfig;
}

/** What differs between a container's root and its image. */
export function diffContainer(supervisor: Supervisor, container: Container): Promise<Change[]> {
  return withTrees(supervisor, container, (trees) => changesOf(trees));
}

/** Makes an image of a container: its image's layers, what it changed as one more, and a run configuration. */
export async function commitContainer(supervisor: Supervisor, container: Container, options: CommitOptions): Promise<Digest> {
  const { backends } = supervisor;
  if (container.removing) throw new EngineError("conflict", `You cannot commit container ${container.id} which is being removed`);
  const paused = options.pause && container.state.kind === "running" && !container.state.paused;
  if (paused) await pauseContainer(supervisor, container);
  try {
    const own = container.spec.config;
    const config = mergeImageConfig(applyChanges(options.config ?? own, options.changes), own);
    const id = await withTrees(supervisor, container, async (trees) => {
      const changes = await changesOf(trees);
      return await backends.images.add({
        ...(container.spec.image.manifest === undefined ? {} : { base: container.spec.image.manifest }),
        ...(container.spec.image.id === "" ? {} : { parent: container.spec.image.id }),
        ...(changes.length === 0 ? {} : { layer: noticed(container, gathered(layerOf(trees, changes))) }),
        config: runConfig(config),
        author: options.author,
        comment: options.comment,
        createdBy: (own.Cmd ?? []).join(" "),
        ...(options.name === undefined ? {} : { name: options.name }),
      });
    });
    publishEvent(backends.events, container, "commit", { comment: options.comment, imageID: id, imageRef: options.name ?? "" });
    return id;
  } finally {
    // Killed meanwhile, it has nothing to go on with.
    if (paused && container.status === "paused") await unpauseContainer(supervisor, container);
  }
}

function withTrees<T>(supervisor: Supervisor, container: Container, work: (trees: Trees) => Promise<T>): Promise<T> {
  const { kernel, snapshots } = supervisor.backends;
  return withRoot(supervisor, container, (current) =>
    withBaseRoot(supervisor, container, (base) => work({ kernel, upper: snapshots.upperDir(container.id), current, base: base.rootfs, baseUpper: base.upper })),
  );
}

/** Who reads the layer is seen to get on. */
async function* noticed({ viewers }: Container, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    viewers.step();
    yield chunk;
  }
}

/** The overlay's own marks mean nothing in a tar. */
const committedAttributes = (name: string): boolean => !name.startsWith("trusted.overlay.") && name !== "security.selinux";

async function* layerOf(trees: Trees, changes: readonly Change[]): AsyncGenerator<Buffer> {
  // Everything that changed is there, and a file that was linked to has one inode there: overlay may show two.
  const view = new View(trees.upper, trees.kernel);
  const files = { kernel: trees.kernel, keeps: committedAttributes, links: new Map<string, string>() };
  for (const { Path: path, Kind: kind } of changes) {
    const as = path.slice(1);
    if (kind === 2) {
      const slash = as.lastIndexOf("/") + 1;
      yield tarHead({ name: latin(`${as.slice(0, slash)}${whiteoutPrefix}${as.slice(slash)}`), mode: 0 }, 0);
      continue;
    }
    using directory = view.open(path.slice(0, path.lastIndexOf("/")) || "/");
    const name = path.slice(path.lastIndexOf("/") + 1);
    const stats = directory?.lstat(name);
    // Of what vanished since it was listed nothing is left to say.
    if (directory !== undefined && stats !== undefined) yield* tarFile(files, directory, name, { stats, as });
  }
  yield tarEnd();
}

/** The part of a container's configuration that an image has. */
export function runConfig(config: ContainerConfig): ImageRunConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Healthcheck, OnBuild, Shell, ArgsEscaped } = config;
  const all = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, ArgsEscaped, Healthcheck, OnBuild, Shell };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)));
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === false || (typeof value === "object" && Object.keys(value).length === 0);
