import { Readable } from "node:stream";
import type { PullProgress } from "#api/images.ts";
import { normalizedName, parseReference, withDefaultTag, withTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { runConfig } from "#core/containers/commit.ts";
import { applyChanges } from "#core/containers/commit-changes.ts";
import type { ImageStore } from "#core/images/images.ts";
import type { Query } from "./query.ts";

/** `POST /images/create?fromSrc=`: a root file system out of the body, or fetched from an address, becomes an image. */
export async function* imported(
  images: Pick<ImageStore, "import">,
  query: Query,
  { body, signal }: { body: Readable; signal: AbortSignal },
): AsyncGenerator<PullProgress> {
  const source = query.get("fromSrc");
  const name = nameOf(query);
  const config = runConfig(applyChanges({ Image: "" }, query.all("changes")));
  const platform = query.get("platform");
  const url = source === "-" ? undefined : addressOf(source);
  const tar = url === undefined ? body : await fetched(url, signal);
  if (url !== undefined) yield { status: `Downloading from ${url.href}` };
  const id = await images.import({
    tar,
    config,
    message: query.get("message") || `Imported from ${source}`,
    signal,
    ...(platform === "" ? {} : { platform }),
    ...(name === undefined ? {} : { name }),
  });
  yield { status: id };
}

function nameOf(query: Query): string | undefined {
  const [repo, tag] = [query.get("repo"), query.get("tag")];
  if (repo === "") return undefined;
  const ref = parseReference(repo);
  if (ref.digest !== undefined) throw new EngineError("invalidArgument", "cannot import digest reference");
  return normalizedName(tag === "" ? withDefaultTag(ref) : withTag(ref, tag));
}

function addressOf(source: string): URL {
  const text = source.includes("://") ? source : `http://${source}`;
  if (!URL.canParse(text)) throw new EngineError("invalidArgument", `fromSrc ${JSON.stringify(source)} is neither "-" nor an address`);
  return new URL(text);
}

async function fetched(url: URL, signal: AbortSignal): Promise<Readable> {
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new EngineError("invalidArgument", `failed to GET ${url.href}: ${messageOf(cause)}`, { cause: error });
  });
  if (response.ok && response.body !== null) return Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  const said = (await response.text()).trim().slice(0, 1_000);
  const cls = response.status === 404 ? "notFound" : "invalidArgument";
  throw new EngineError(cls, `failed to GET ${url.href} with status ${response.status} ${response.statusText}: ${said}`);
}
