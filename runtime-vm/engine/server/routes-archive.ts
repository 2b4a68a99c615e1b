import { EngineError } from "#base/errors.ts";
import type { PathStat } from "#core/containers/archive-path.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import { plain } from "./compressed.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

type Archives = Pick<ContainerManager, "statPath" | "listFiles" | "readArchive" | "writeArchive" | "export">;

/** `docker cp` and `docker export`; and a directory's list, which Docker's API has no call for. */
export const archiveRoutes = (containers: Archives): readonly Route[] => [
  route("HEAD", "/containers/{id...}/archive", async ({ params, query }) => ({
    status: 200,
    headers: statHeader(await containers.statPath(params.id, pathOf(query))),
  })),
  route("GET", "/containers/{id...}/archive", async ({ params, query, signal }) => {
    const { stat, tar } = await containers.readArchive(params.id, pathOf(query), signal);
    return { status: 200, headers: { "Content-Type": "application/x-tar", ...statHeader(stat) }, stream: tar };
  }),
  route("PUT", "/containers/{id...}/archive", async ({ params, query, headers, body }) => {
    await containers.writeArchive(params.id, pathOf(query), await plain(body, headers["content-encoding"]), {
      noOverwriteDirNonDir: query.bool("noOverwriteDirNonDir"),
      copyOwner: query.bool("copyUIDGID"),
    });
    return { status: 200 };
  }),
  route("GET", "/slipway/containers/{id...}/files", async ({ params, query }) => ({ status: 200, json: await containers.listFiles(params.id, pathOf(query)) })),
  route("GET", "/containers/{id...}/export", async ({ params, signal }) => ({
    status: 200,
    headers: { "Content-Type": "application/octet-stream" },
    stream: await containers.export(params.id, signal),
  })),
];

function pathOf(query: Query): string {
  const path = query.get("path");
  if (path === "") throw new EngineError("invalidArgument", "bad parameter: pathcannot be empty");
  return path;
}

const statHeader = (stat: PathStat): Record<string, string> => ({ "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") });
