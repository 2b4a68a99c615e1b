import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { ImageUser } from "#core/images/images.ts";
import { packTar } from "#core/layers/tar-writer.ts";
import { openStore } from "./rig.ts";
import { dockerArchive, makeImage, sha256 } from "./test-images.ts";
import { blobs, list, load, nobody, small, text } from "./test-loads.ts";

const signal = new AbortController().signal;

test("an image is found by name, id, prefix and digest, and by nothing else", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small(), ["app:1", "user/app:latest"]));
  const [{ Id: id } = { Id: "" }] = await list(store);
  const hex = id.slice(7);
  for (const text of ["app:1", "user/app", "docker.io/library/app:1", id, hex, hex.slice(0, 12), `sha256:${hex.slice(0, 8)}`, `app@${id}`, `app:other@${id}`]) {
    expect((await store.images.inspect(text)).Id, text).toBe(id);
  }
  const refused: [string, string, string][] = [
    ["nope", "notFound", "No such image: nope:latest"],
    ["app", "notFound", "No such image: app:latest"],
    [hex.slice(0, 3), "notFound", `No such image: ${hex.slice(0, 3)}:latest`],
    [`nope@${id}`, "notFound", `No such image: nope@${id}`],
    [`sha256:${"0".repeat(64)}`, "notFound", `No such image: sha256:${"0".repeat(64)}`],
    ["UPPER", "invalidArgument", "invalid reference format: repository name (library/UPPER) must be lowercase"],
  ];
  for (const [text, errorClass, message] of refused) {
    await expect(store.images.inspect(text), text).rejects.toMatchObject({ class: errorClass, message });
  }
});

test("inspect and history show what dockerd shows", async () => {
  await using store = await openStore();
  const image = makeImage([[text("a", "x")], [text("b", "y")]], { labels: { k: "v" } });
  await load(store, dockerArchive(image, ["app:1"]));
  const shown = await store.images.inspect("app:1", { manifests: true });
  const content = shown.Descriptor!.size + image.config.length + image.layers.reduce((sum, { blob }) => sum + blob.length, 0);
  expect(shown).toMatchObject({
    RepoTags: ["app:1"],
    RepoDigests: [`app@${shown.Id}`],
    Created: "2024-05-06T07:08:09Z",
    Os: "linux",
    Size: content,
    GraphDriver: { Data: null, Name: "overlayfs" },
    RootFS: { Type: "layers", Layers: image.layers.map(({ tar }) => sha256(tar)) },
    Config: { Cmd: ["/bin/sh"], Entrypoint: null, Env: ["PATH=/bin"], Labels: { k: "v" }, OnBuild: null, User: "", Volumes: null, WorkingDir: "" },
    Manifests: [{ Kind: "image", Available: true, Size: { Content: content, Total: content + 4 * 4096 } }],
  });
  expect(await store.images.history("app:1")).toEqual([
    { Comment: "", Created: 1714979289, CreatedBy: "layer 1", Id: shown.Id, Size: 8192, Tags: ["app:1"] },
    { Comment: "", Created: 1714979289, CreatedBy: "layer 0", Id: "<missing>", Size: 8192, Tags: null },
  ]);
});

test("tagging adds a name, moves one, and leaves what lost its last name dangling", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small("a"), ["a:1"]));
  await load(store, dockerArchive(small("b"), ["b:1"]));
  await store.events();
  await store.images.tag("a:1", "c");
  await store.images.tag("a:1", "b:1");
  const a = (await store.images.inspect("a:1")).Id;
  expect((await list(store)).map(({ RepoTags }) => RepoTags.join()).toSorted()).toEqual(["", "a:1,b:1,c:latest"]);
  expect((await list(store, { dangling: ["true"] })).map(({ RepoTags }) => RepoTags)).toEqual([[]]);
  expect(await store.events()).toEqual([`tag ${a} c:latest`, `tag ${a} b:1`]);
  await expect(store.images.tag("nope", "x")).rejects.toMatchObject({ class: "notFound" });
  await expect(store.images.tag("a:1", "x:BAD TAG")).rejects.toMatchObject({ class: "invalidArgument" });
  const id = expect.stringMatching(/^sha256:/) as string;
  expect(await store.images.prune({ filters: {}, users: nobody })).toMatchObject({ ImagesDeleted: [{ Untagged: id }, { Deleted: id }] });
  expect(await list(store)).toHaveLength(1);
});

test("removing a name leaves the image to its other names; the last one takes it, its layers and its bytes along", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small(), ["a:1", "a:2", "b:1"]));
  const [{ Id: id } = { Id: "" }] = await list(store);
  await store.events();
  const remove = (text: string, force = false) => store.images.remove(text, { force, users: nobody });
  expect(await remove("a:1")).toEqual([{ Untagged: "a:1" }]);
  await expect(remove(id)).rejects.toMatchObject({
    class: "conflict",
    message: `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
  });
  expect(await remove("b:1")).toEqual([{ Untagged: "b:1" }]);
  expect(await remove("a:2")).toEqual([{ Untagged: "a:2" }, { Deleted: id }]);
  expect(await store.events()).toEqual([`untag ${id} a:1`, `untag ${id} b:1`, `untag ${id} a:2`, `delete ${id} ${id}`]);
  expect(blobs(store)).toEqual([]);
  expect(store.layers.list()).toEqual([]);
  await expect(remove("a:2")).rejects.toMatchObject({ class: "notFound", message: "No such image: a:2" });
});

test("what images share stays while one of them is here", async () => {
  await using store = await openStore();
  const shared = text("shared", "x");
  await load(store, dockerArchive(makeImage([[shared], [text("a", "a")]]), ["a:1"]));
  await load(store, dockerArchive(makeImage([[shared], [text("b", "b")]]), ["b:1"]));
  const sizes = await store.images.list({ filters: {}, manifests: false, sharedSize: true, users: nobody });
  expect(sizes.map(({ SharedSize }) => SharedSize)).toEqual([8192, 8192]);
  await store.images.remove("a:1", { force: false, users: nobody });
  expect(store.layers.list()).toHaveLength(2);
  await store.snapshots.prepare("box", (await store.images.resolve("b:1")).layers);
  expect(readFileSync(join(await store.snapshots.mount("box"), "shared"), "utf8")).toBe("x");
});

test("containers hold their image, with dockerd's words", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small(), ["a:1"]));
  const [{ Id: id } = { Id: "" }] = await list(store);
  const short = id.slice(7, 19);
  const user = (running: boolean) => (): ImageUser[] => [{ id: "0123456789abcdef", running }];
  const refusal = async (text: string, opts: { force: boolean; running: boolean }): Promise<string> =>
    await store.images.remove(text, { force: opts.force, users: user(opts.running) }).then(
      () => "removed",
      (error: Error) => error.message,
    );
  expect(await refusal("a:1", { force: false, running: false })).toBe(
    `conflict: unable to delete a:1 (must be forced) - container 0123456789ab is using its referenced image ${short}`,
  );
  expect(await refusal(id, { force: false, running: false })).toBe(
    `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container 0123456789ab`,
  );
  expect(await refusal(id, { force: true, running: true })).toBe(
    `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container 0123456789ab`,
  );
  await store.snapshots.prepare("box", (await store.images.resolve(id)).layers);
  expect(await store.images.remove("a:1", { force: true, users: user(false) })).toEqual([{ Untagged: "a:1" }]);
  expect(await list(store)).toMatchObject([{ Id: id, RepoTags: [] }]);
  expect(await store.images.remove(id, { force: true, users: user(false) })).toEqual([{ Deleted: id }]);
  expect(readFileSync(join(await store.snapshots.mount("box"), "a"), "utf8")).toBe("a");
});

test("filters choose by label, name, age and order of making", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small("a", { labels: { x: "1" }, created: "2020-01-01T00:00:00Z" }), ["group/a:1", "a:1"]));
  await load(store, dockerArchive(small("b", { labels: { x: "2" }, created: "2022-01-01T00:00:00Z" }), ["group/b:1"]));
  const names = async (filters: object) => (await list(store, filters)).flatMap(({ RepoTags }) => RepoTags);
  expect(await names({})).toEqual(["group/b:1", "group/a:1", "a:1"]);
  expect(await names({ label: ["x=1"] })).toEqual(["group/a:1", "a:1"]);
  expect(await names({ "label!": ["x=1"] })).toEqual(["group/b:1"]);
  expect(await names({ reference: ["group/*"] })).toEqual(["group/b:1", "group/a:1"]);
  expect(await names({ reference: ["*:1"] })).toEqual(["a:1"]);
  expect(await names({ before: ["group/b:1"] })).toEqual(["group/a:1", "a:1"]);
  expect(await names({ since: ["a:1"] })).toEqual(["group/b:1"]);
  expect(await names({ until: ["1h"] })).toEqual([]);
  expect(await names({ until: [String(Date.now() / 1000 + 60)] })).toEqual(["group/b:1", "group/a:1", "a:1"]);
  await expect(names({ nope: ["x"] })).rejects.toThrow("invalid filter 'nope'");
  await expect(names({ dangling: ["x"] })).rejects.toThrow("invalid filter 'dangling=[x]'");
  await expect(names({ before: ["nope"] })).rejects.toThrow("No such image: nope:latest");
});

test("a restart finds everything; leftovers without a name go, a fresh download stays for the next pull", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small("a"), ["a:1"]));
  const before = await list(store);
  await load(store, dockerArchive(small("b"), ["b:1"]));
  await store.images.remove("b:1", { force: false, users: nobody });
  await store.layers.ingest(Readable.from([packTar([text("left", "over")])]), { signal });
  await store.reopen();
  expect(await list(store)).toEqual(before);
  expect(store.layers.list()).toHaveLength(1);
  expect(await store.images.resolve("a:1")).toMatchObject({ id: before[0]!.Id });
});

test("a layer that a power cut took is unpacked again from its blob", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small("a"), ["a:1"]));
  const [diffId] = store.layers.list();
  store.layers.remove(diffId!);
  await store.reopen();
  expect((await store.images.resolve("a:1")).layers).toEqual([diffId]);
  expect(store.layers.has(diffId!)).toBe(true);
});

test("prune takes what its filters let it take", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small("a", { labels: { keep: "yes" } }), []));
  await load(store, dockerArchive(small("b", { labels: { x: "1" } }), []));
  await load(store, dockerArchive(small("c"), ["named:1"]));
  const deleted = async (filters: Record<string, string[]>) =>
    ((await store.images.prune({ filters, users: nobody })).ImagesDeleted ?? []).filter((item) => "Deleted" in item).length;
  expect(await deleted({ until: ["1h"] })).toBe(0);
  expect(await deleted({ label: ["other"] })).toBe(0);
  expect(await deleted({ "label!": ["keep=yes", "x"] })).toBe(0);
  expect(await deleted({ "label!": ["keep"], dangling: ["true"] })).toBe(1);
  expect(await deleted({ label: ["keep=yes"], until: [String(Date.now() / 1000 + 60)] })).toBe(1);
  expect((await list(store)).map(({ RepoTags }) => RepoTags)).toEqual([["named:1"]]);
  await expect(deleted({ dangling: ["maybe"] })).rejects.toThrow("invalid filter 'dangling=[maybe]'");
  await expect(deleted({ nope: ["x"] })).rejects.toThrow("invalid filter 'nope'");
});

test("prune with dangling=false takes every image no container uses", async () => {
  await using store = await openStore();
  await load(store, dockerArchive(small("a"), ["a:1"]));
  await load(store, dockerArchive(small("b"), ["b:1"]));
  const used = (await store.images.inspect("b:1")).Id;
  const report = await store.images.prune({ filters: { dangling: ["false"] }, users: (id) => (id === used ? [{ id: "c", running: false }] : []) });
  expect(report.ImagesDeleted).toMatchObject([{ Untagged: "a:1" }, {}]);
  expect(report.SpaceReclaimed).toBeGreaterThan(4096);
  expect((await list(store)).map(({ RepoTags }) => RepoTags)).toEqual([["b:1"]]);
  expect(await store.images.prune({ filters: {}, users: nobody })).toEqual({ ImagesDeleted: null, SpaceReclaimed: 0 });
});
