import type { ImageInspect, ImageSummary } from "#api/images.ts";
import { isDigest, normalizedName, parseReference, withDigest, withTag } from "#api/reference.ts";
import { type ApiVersion, has } from "#api/versions.ts";
import { EngineError } from "#base/errors.ts";
import type { ImageStore, ImageUsers } from "#core/images/images.ts";
import type { PullFailures } from "#core/why/pull-failures.ts";
import { json, lines, platformParameter, platformParameters, progressAnswer, registryAuth } from "./image-answers.ts";
import { imported } from "./image-import.ts";
import type { Query } from "./query.ts";
import { type Answer, type Route, route } from "./router.ts";

/** Image names hold slashes, so a fixed ending goes before the bare name. */
export const imageRoutes = (images: ImageStore, users: ImageUsers, pulls: Pick<PullFailures, "watched">): readonly Route[] => [
  route("GET", "/images/json", async ({ query, version }) => {
    const { manifests, sharedSize } = { manifests: query.bool("manifests"), sharedSize: query.bool("shared-size") };
    const rows = await images.list({ filters: legacyFilter(query), manifests, sharedSize, users });
    return { status: 200, json: rows.map((row) => summaryFor(version, row)) };
  }),
  route("GET", "/images/get", async ({ query, signal }) => await saved(images, query.all("names"), query, signal)),
  route("GET", "/images/{name...}/json", async ({ params, query, version }) => {
    const platform = platformParameter(query);
    if (query.bool("manifests") && platform !== undefined) {
      throw new EngineError("invalidArgument", "conflicting options: manifests and platform options cannot both be set");
    }
    const image = await images.inspect(params.name, { users, manifests: query.bool("manifests"), ...(platform === undefined ? {} : { platform }) });
    return { status: 200, json: inspectFor(version, image) };
  }),
  route("GET", "/images/{name...}/history", async ({ params, query }) => {
    const platform = platformParameter(query);
    return { status: 200, json: await images.history(params.name, platform === undefined ? {} : { platform }) };
  }),
  route("GET", "/images/{name...}/get", async ({ params, query, signal }) => await saved(images, [params.name], query, signal)),
  route("POST", "/images/create", async ({ query, headers, body, signal }) => {
    const platform = query.get("platform");
    if (query.get("fromImage") === "") return await progressAnswer(imported(images, query, { body, signal }));
    const auth = registryAuth(headers["x-registry-auth"]);
    const reference = pullReference(query);
    const pulled = images.pull({ reference, auth, signal, ...(platform === "" ? {} : { platform }) });
    return await progressAnswer(pulls.watched(reference, pulled));
  }),
  route("POST", "/images/load", ({ query, body, signal }) => {
    const platform = platformParameter(query);
    const loaded = images.load(body, { signal, ...(platform === undefined ? {} : { platform }) });
    return { status: 200, headers: json, stream: lines(loaded) };
  }),
  route("POST", "/images/prune", async ({ query }) => ({ status: 200, json: await images.prune({ filters: query.filters(), users }) })),
  route("POST", "/images/{name...}/tag", async ({ params, query }) => {
    const repository = parseReference(query.get("repo"));
    if (repository.digest !== undefined) throw new EngineError("invalidArgument", "cannot import digest reference");
    const target = query.get("tag") === "" ? repository : withTag(repository, query.get("tag"));
    await images.tag(params.name, normalizedName(target));
    return { status: 201 };
  }),
  route("DELETE", "/images/{name...}", async ({ params, query }) => {
    const opts = { force: query.bool("force"), users };
    const platforms = platformParameters(query);
    return { status: 200, json: platforms.length === 0 ? await images.remove(params.name, opts) : await images.removePlatforms(params.name, platforms, opts) };
  }),
];

/** `filter=name` is what clients before 1.25 send. */
function legacyFilter(query: Query): Readonly<Record<string, readonly string[]>> {
  const filters = query.filters();
  const filter = query.get("filter");
  return filter === "" ? filters : { ...filters, reference: [...(filters["reference"] ?? []), filter] };
}

/** `fromImage` with `tag`, which may be a digest. An ending colon is how `docker pull --all-tags` used to ask. */
function pullReference(query: Query): string {
  const image = query.get("fromImage").replace(/:$/, "");
  if (image === "") throw new EngineError("invalidArgument", "invalid reference format");
  const ref = parseReference(image);
  if (ref.domain === "docker.io" && ref.path === "library/scratch") throw new EngineError("forbidden", "'scratch' is a reserved name");
  const tag = query.get("tag");
  if (tag === "") return normalizedName(ref);
  return normalizedName(isDigest(tag) ? withDigest(ref, tag) : withTag(ref, tag));
}

async function saved(images: ImageStore, names: readonly string[], query: Query, signal: AbortSignal): Promise<Answer> {
  const platform = platformParameter(query);
  if (names.length === 0) throw new EngineError("invalidArgument", "no image names given; use names=NAME for each");
  return {
    status: 200,
    headers: { "Content-Type": "application/x-tar" },
    stream: await images.save(names, { signal, ...(platform === undefined ? {} : { platform }) }),
  };
}

function summaryFor(version: ApiVersion, row: ImageSummary): unknown {
  const { Descriptor: descriptor, Manifests: manifests, ...rest } = row;
  return {
    ...rest,
    ...(has(version, "imageManifests") && manifests !== undefined ? { Manifests: manifests } : {}),
    ...(has(version, "imageDescriptor") ? { Descriptor: descriptor } : {}),
    ...(has(version, "noVirtualSize") ? {} : { VirtualSize: row.Size }),
  };
}

/** What the configuration of an image had in common with that of a container, and never said. */
const containerFields = {
  Hostname: "",
  Domainname: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: "",
} as const;

function inspectFor(version: ApiVersion, image: ImageInspect): unknown {
  const { Descriptor: descriptor, Manifests: manifests, ...rest } = image;
  return {
    ...rest,
    ...(has(version, "leanImageConfig") ? {} : { Config: { ...containerFields, ...image.Config } }),
    ...(has(version, "inspectedManifests") && manifests !== undefined ? { Manifests: manifests } : {}),
    ...(has(version, "imageDescriptor") ? { Descriptor: descriptor } : {}),
    ...(has(version, "noVirtualSize") ? {} : { VirtualSize: image.Size }),
  };
}
