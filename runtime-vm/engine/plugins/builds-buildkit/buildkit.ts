import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { Builds } from "#core/builds/builds.ts";
import type { ClassicRecords } from "#core/builds/classic-records.ts";
import type { PostedBuilds } from "#core/builds/posted.ts";
import { bridgeMethods } from "./bridge.ts";
import { classicRecords } from "./classic-records.ts";
import { controlMethods, type ControlParts, Jobs } from "./control.ts";
import { BuildHistory } from "./history.ts";
import { FolderBuilds } from "./folder-builds.ts";
import { historyMethods } from "./history-calls.ts";
import { PostedJobs } from "./posted.ts";
import { serveGrpc } from "./server.ts";
import { Shelf } from "./shelf.ts";
import { Sessions } from "./session.ts";

/** The doors that BuildKit's clients knock at: two on connections that were taken over from HTTP/1.1, and `POST /build`; and the window's. */
export interface BuildKit {
  /** The client calls us. */
  grpc(connection: Duplex): Promise<void>;
  /** We call the client. */
  session(connection: Duplex, headers: IncomingHttpHeaders): Promise<void>;
  readonly posted: PostedBuilds;
  readonly folders: FolderBuilds;
  /** For what the classic builder builds. */
  readonly records: ClassicRecords;
}

export function openBuildKit(builds: Builds, { version, tool }: Pick<ControlParts, "version" | "tool">): BuildKit {
  const [sessions, jobs, history] = [new Sessions(), new Jobs(), new BuildHistory(builds.backends.state)];
  const control = { builds, sessions, jobs, history, version, tool, shelf: new Shelf() };
  const methods = {
    ...controlMethods(control),
    ...bridgeMethods(jobs),
    ...historyMethods(history, builds.backends.builder),
  };
  const one = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(", ") : (value ?? ""));
  return {
    posted: new PostedJobs(control),
    folders: new FolderBuilds(builds, history),
    records: classicRecords(history, builds.backends.journal),
    grpc: (connection) => serveGrpc(connection, methods, builds.backends.journal),
    session: (connection, headers) =>
      sessions.serve(connection, {
        id: one(headers["x-docker-expose-session-uuid"]),
        sharedKey: one(headers["x-docker-expose-session-sharedkey"]),
        methods: one(headers["x-docker-expose-session-grpc-method"]).split(/,\s*/),
      }),
  };
}
