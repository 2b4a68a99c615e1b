import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { messageOf } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { BuildRequest } from "#core/builds/request.ts";
import type { StageState } from "#core/builds/state.ts";
import type { Progress, Vertex } from "./progress.ts";
import type { Session } from "./session.ts";

/** What preparing a build stands on. */
export interface Frontend {
  readonly builds: Builds;
  readonly session: Session;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Disposed when the build is over. */
  readonly undo: AsyncDisposableStack;
  /** Names of the client's directories that were read. */
  readonly locals: Set<string>;
  /** What another build has given, by the name that the client gave it here: of each platform. */
  readonly result: (name: string) => readonly StageState[];
  readonly entitlements: readonly string[];
  /** Of caches elsewhere. */
  readonly imported: BuildRequest["imported"];
  /** The context that came with the request. */
  readonly body: (() => Promise<Readable>) | undefined;
}

/** A new name for a file or directory of what is a client's. */
export const scratch = ({ backends }: Builds): string => join(backends.paths.buildWork, `client-${randomUUID().slice(0, 8)}`);

/** Runs work under a line of the client's display. */
export async function shown<T>(progress: Progress, name: string, work: (vertex: Vertex) => Promise<T>): Promise<T> {
  const vertex = progress.vertex(name);
  try {
    const result = await work(vertex);
    vertex.done();
    return result;
  } catch (error) {
    vertex.failed(messageOf(error));
    throw error;
  }
}

/** A Dockerfile is no longer. */
export const definitionBytesMax = 4 * 1024 * 1024;
