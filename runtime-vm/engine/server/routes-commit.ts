import { commitConfigShape } from "#api/container-shapes.ts";
import type { ContainerConfig } from "#api/containers.ts";
import { familiarName, parseReference, withDefaultTag, withTag } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { ContainerManager } from "#core/containers/containers.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

/** `docker diff` and `docker commit`. */
export const commitRoutes = (containers: Pick<ContainerManager, "changes" | "commit">): readonly Route[] => [
  route("GET", "/containers/{id...}/changes", async ({ params }) => {
    const changes = await containers.changes(params.id);
    return { status: 200, json: changes.length === 0 ? null : changes };
  }),
  route("POST", "/commit", async ({ query, json }) => {
    const config = (await json(commitConfigShape)) as ContainerConfig | null | undefined;
    const name = nameOf(query);
    const container = query.get("container");
    if (container === "") throw new EngineError("invalidArgument", 'invalid name or ID supplied: ""');
    const Id = await containers.commit(container, {
      author: query.get("author"),
      comment: query.get("comment"),
      changes: query.all("changes"),
      pause: query.get("pause") === "" || query.bool("pause"),
      ...(name === undefined ? {} : { name }),
      // A body without a field is no configuration.
      ...(config === undefined || config === null || Object.keys(config).length === 0 ? {} : { config }),
    });
    return { status: 201, json: { Id } };
  }),
];

function nameOf(query: Query): string | undefined {
  const repo = query.get("repo");
  const tag = query.get("tag");
  if (repo === "") return undefined;
  if (tag !== "" && !/^\w[\w.-]{0,127}$/.test(tag)) throw new EngineError("invalidArgument", "invalid tag format");
  const ref = parseReference(repo);
  if (ref.digest !== undefined) throw new EngineError("invalidArgument", "cannot import digest reference");
  // The tag given by itself counts.
  return familiarName(tag === "" ? withDefaultTag(ref) : withTag(ref, tag));
}
