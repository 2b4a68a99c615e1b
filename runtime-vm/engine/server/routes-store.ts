import { EngineError } from "#base/errors.ts";
import type { StoreCheck } from "#api/images.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { BrowseOptions } from "#core/images/browsing.ts";
import type { ImageStore } from "#core/images/images.ts";
import type { Query } from "./query.ts";
import { type Route, route } from "./router.ts";

/** The image store itself, beyond what Docker's API tells of it: whether it is sound, and what is in its images. */
export const storeRoutes = (images: Pick<ImageStore, "check" | "browser">, bin: Pick<Bin, "faults" | "size">): readonly Route[] => [
  route("GET", "/slipway/check", async ({ signal }) => {
    const { Checked, Problems } = await images.check({ signal });
    const faults = bin.faults().map(({ object, problem }) => ({ Object: object, Problem: problem }));
    return { status: 200, json: { Checked: { ...Checked, Trash: bin.size }, Problems: [...Problems, ...faults] } satisfies StoreCheck };
  }),
  route("GET", "/slipway/images/{name...}/layers", async ({ params, query, signal }) => ({
    status: 200,
    json: await images.browser.layers(params.name, browsing(query, signal)),
  })),
  route("GET", "/slipway/images/{name...}/files", async ({ params, query, signal }) => ({
    status: 200,
    json: await images.browser.list(params.name, query.get("path") || "/", browsing(query, signal)),
  })),
  route("GET", "/slipway/images/{name...}/file", async ({ params, query, signal }) => {
    const { size, bytes } = await images.browser.read(params.name, query.get("path"), browsing(query, signal));
    return { status: 200, headers: { "Content-Type": "application/octet-stream", "Content-Length": String(size) }, stream: bytes };
  }),
];

function browsing(query: Query, signal: AbortSignal): BrowseOptions {
  const [platform, layer] = [query.get("platform"), query.get("layer")];
  if (!/^\d*$/.test(layer)) throw new EngineError("invalidArgument", `layer ${JSON.stringify(layer)} is no number; layers are counted from 0, the lowest`);
  return { signal, ...(platform === "" ? {} : { platform }), ...(layer === "" ? {} : { layer: Number(layer) }) };
}
