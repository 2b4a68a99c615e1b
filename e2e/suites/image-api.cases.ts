import { oddImages } from "./image-api.odd.ts";

/** One request; its whole answer is compared with what dockerd 28.5 was recorded to say. They build on one another, in this order. */
export interface ImageCase {
  /** `{app}` and `{multi}` are the digests of those images; `{app:12}` the first so many digits of one. */
  readonly call: string;
  /** One of `bodies`. */
  readonly body?: string;
  readonly json?: unknown;
  /** Only our status is compared, and what it has to say. */
  readonly ours?: { readonly reason: string; readonly status: number; readonly says?: string };
}

const filters = (value: Readonly<Record<string, readonly string[]>>): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;
const platform = (architecture: string): string => `platform=${encodeURIComponent(JSON.stringify({ os: "linux", architecture }))}`;
const get = (...paths: readonly string[]): ImageCase[] => paths.map((path) => ({ call: `GET ${path}` }));
const remote = "127.0.0.1:5062/team/pushed";
const nowhere = `sha256:${"0".repeat(64)}`;

/** Where dockerd is wrong or says less, by the case. */
const exceptions: Readonly<Record<string, ImageCase["ours"]>> = {
  [`GET /images/json?${filters({ dangling: ["true"] })}`]: { reason: "an image that was loaded twice still has its name", status: 200 },
  [`GET /images/json?${filters({ until: ["x"] })}`]: { reason: "what cannot be read is the client's fault", status: 400 },
  [`POST /images/prune?${filters({ until: ["x"] })}`]: { reason: "what cannot be read is the client's fault", status: 400 },
  "POST /images/app:1/tag?repo=": { reason: "dockerd tags nothing, and says nothing", status: 400 },
  [`GET /distribution/${remote}:1/json`]: { reason: "dockerd names no platform of an OCI manifest, whose config does", status: 200 },
  [`POST /images/prune?${filters({ dangling: ["false"] })}`]: { reason: "the space of unpacked layers is reclaimed, too", status: 200 },
  "GET /images/127.0.0.1:5062/team/odd:nested/json": { reason: "an index within an index is not counted in the size", status: 200 },
  "GET /images/127.0.0.1:5062/team/odd:nested-bare/json": { reason: "an index within an index is not counted in the size", status: 200 },
  "POST /images/prune": { reason: "the space of unpacked layers is reclaimed, too", status: 200 },
};

const loading: readonly ImageCase[] = [
  { call: "POST /images/load", body: "app" },
  { call: "POST /images/load?quiet=1", body: "two" },
  { call: "POST /images/load", body: "multi" },
  { call: "POST /images/load", body: "nothing" },
  { call: "POST /images/load", body: "words", ours: { reason: "we say where it ends", status: 200 } },
  { call: `POST /images/load?${platform("riscv64")}`, body: "multi" },
  { call: "POST /images/load?platform=x", body: "multi" },
];

const references: readonly ImageCase[] = [
  ...[
    ...["app:1", "app", "app:2", "docker.io/library/app:1", "index.docker.io/library/app:1", "library/app:1", "APP:1", "{app}", "{app:12}", "sha256:{app:12}"],
    ...["{app:4}", "{app:3}", `nope@${nowhere}`, "app@{app}", "app:9@{app}", "other@{app}", "a/b/c:d:e", "-x", "a".repeat(300), `x:${"t".repeat(130)}`],
  ].map((reference): ImageCase => ({ call: `GET /images/${reference}/json` })),
  ...get("/images/app:1/history", "/images/multi:1/history", `/images/multi:1/history?${platform("s390x")}`, `/images/app:1/history?${platform("arm64")}`),
  ...get(`/images/app:1/json?${platform("amd64")}`, `/images/app:1/json?${platform("arm64")}`, `/images/multi:1/json?${platform("s390x")}`),
  ...get("/images/multi:1/json", "/images/multi:1/json?manifests=1"),
];

const lists: readonly ImageCase[] = [
  ...get("/images/json", "/images/json?manifests=1", "/images/json?shared-size=1", "/system/df?type=image"),
  ...[
    ...[{ reference: ["app*"] }, { reference: ["*/*/*"] }, { dangling: ["true"] }, { dangling: ["x"] }, { label: ["a"] }, { label: ["a=c"] }],
    ...[{ before: ["app:1"] }, { since: ["nope"] }, { until: ["x"] }, { foo: ["x"] }, { reference: ["["] }],
  ].map((value): ImageCase => ({ call: `GET /images/json?${filters(value as Record<string, string[]>)}` })),
  ...get("/images/json?filters=%7B%22a%22%3A"),
];

const tags: readonly ImageCase[] = [
  ...[
    "repo=new&tag=1",
    "repo=new",
    "repo=",
    "repo=NEW",
    "repo=x&tag=a%20b",
    "repo=x:1&tag=2",
    `repo=x@${nowhere}`,
    "repo=scratch",
    "repo=localhost:5000/a/b&tag=z",
  ].map((query): ImageCase => ({ call: `POST /images/app:1/tag?${query}` })),
  { call: "POST /images/nope/tag?repo=x" },
  { call: "POST /images/{app:12}/tag?repo=byid&tag=1" },
  { call: `POST /images/app:1/tag?repo=${"0".repeat(64)}` },
  { call: "GET /images/json", ours: { reason: "of several names dockerd shows the digest under the one tagged last only", status: 200 } },
];

const transfers: readonly ImageCase[] = [
  { call: `POST /images/create?fromImage=${remote}&tag=1` },
  { call: `POST /images/create?fromImage=${remote}&tag=1` },
  { call: `POST /images/create?fromImage=${remote}&tag=none` },
  { call: `POST /images/create?fromImage=${remote}&tag=${nowhere}` },
  { call: "POST /images/create?fromImage=127.0.0.1:5062/none" },
  { call: "POST /images/create?fromImage=BAD" },
  { call: `POST /images/create?fromImage=${remote}&tag=1&platform=linux/nonsense` },
  { call: `POST /images/${remote}/push?tag=1` },
  { call: `POST /images/${remote}/push?tag=nope` },
  { call: "POST /images/BAD/push" },
  { call: `GET /distribution/${remote}:1/json` },
  { call: `GET /distribution/${remote}:none/json` },
  { call: "GET /distribution/BAD/json" },
  ...get(`/images/${remote}:1/json`, "/images/get?names=nope", "/images/get?names=BAD", "/images/nope/get", `/images/multi:1/get?${platform("riscv64")}`),
  { call: "GET /images/search?term=x&limit=101" },
  { call: `GET /images/search?term=x&${filters({ foo: ["x"] })}` },
  { call: `GET /images/search?term=x&${filters({ "is-official": ["maybe"] })}` },
];

const artifact = (kind: string) => ({ reason: "dockerd keeps an artifact as an image of which no container can be made", says: `is an artifact (${kind})` });
/** Where we refuse an image, and say why; nothing of it is kept. */
const refused: Readonly<Record<string, { readonly reason: string; readonly says: string }>> = {
  artifact: artifact("application/vnd.example.note"),
  "artifact-index": artifact("application/vnd.example.note"),
  "artifact-platform": artifact("application/vnd.example.note"),
  chart: artifact("application/vnd.cncf.helm.config.v1+json"),
  signature: { reason: "dockerd says no more than that, and keeps the image", says: "mismatched image rootfs and manifest layers: sha256:" },
  "strange-layer": { reason: "dockerd says no more than that, and keeps the image", says: "is no layer but application/x-strange" },
  "wrong-diff-id": { reason: "dockerd does not tell the right one", says: "the tar has digest sha256:0559432954729e" },
  "junk-layer": { reason: "dockerd tells of its own directories", says: "in the middle of an entry; it is truncated" },
  "junk-config": { reason: "dockerd tells of Go's parser", says: "not JSON" },
};

/** Each is pulled, looked at, and used. */
const odd: readonly ImageCase[] = Object.keys(oddImages).flatMap((tag) => {
  const name = `127.0.0.1:5062/team/odd:${tag}`;
  const calls: readonly ImageCase[] = [
    { call: `POST /images/create?fromImage=127.0.0.1:5062/team/odd&tag=${tag}` },
    { call: `GET /images/${name}/json` },
    { call: `POST /containers/create?name=odd-${tag}`, json: { Image: name } },
    { call: `DELETE /containers/odd-${tag}` },
    { call: `DELETE /images/${name}` },
  ];
  const why = refused[tag];
  if (why === undefined) return calls;
  const absent = { reason: why.reason, status: 404, says: "No such" };
  return calls.map((one, i) => ({ ...one, ours: i === 0 ? { ...why, status: 200 } : absent }));
});

const removals: readonly ImageCase[] = [
  { call: "POST /containers/create?name=holds", json: { Image: "other:1", Cmd: ["x"] } },
  ...["nope", "nope:1", "BAD", nowhere, "{app:3}", "other:1", "byid:1", "{app:12}", "new:1"].map((name): ImageCase => ({ call: `DELETE /images/${name}` })),
  { call: `DELETE /images/multi:1?${platform("arm64").replace("platform", "platforms")}` },
  { call: `DELETE /images/multi:1?${platform("riscv64").replace("platform", "platforms")}` },
  ...get("/images/multi:1/json?manifests=1"),
  { call: "DELETE /images/multi:1?noprune=1" },
  ...[{ dangling: ["x"] }, { foo: ["x"] }, { until: ["x"] }, { label: ["zzz"] }, { dangling: ["true", "false"] }].map(
    (value): ImageCase => ({ call: `POST /images/prune?${filters(value as Record<string, string[]>)}` }),
  ),
  { call: `POST /images/prune?${filters({ dangling: ["false"] })}` },
  ...get("/images/json"),
  { call: "DELETE /images/other:1?force=1" },
  { call: "DELETE /containers/holds" },
  { call: "POST /images/prune" },
  ...get("/images/json", "/system/df?type=image"),
];

export const imageCases: readonly ImageCase[] = [...loading, ...references, ...lists, ...tags, ...transfers, ...odd, ...removals].map((one) => {
  const known = exceptions[one.call];
  return known === undefined ? one : { ...one, ours: known };
});
