import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { packTar } from "#core/layers/tar-writer.ts";
import { openStore } from "./rig.ts";
import { busyboxLayer, dockerArchive, makeImage, manifestOf, sha256 } from "./test-images.ts";
import { blobs, list, load, small, text } from "./test-loads.ts";

const signal = new AbortController().signal;

test("an archive of docker save is loaded under its tags, unpacked and ready", async () => {
  await using store = await openStore();
  const image = makeImage([busyboxLayer(), [text("etc/motd", "hello")]], { compression: "none", labels: { a: "b" } });
  expect(await load(store, dockerArchive(image, ["app:one", "other/app:two"]))).toEqual([
    { stream: "Loaded image: app:one\n" },
    { stream: "Loaded image: other/app:two\n" },
  ]);
  const [row] = await list(store);
  expect(row).toMatchObject({ RepoTags: ["app:one", "other/app:two"], Created: 1714979289, Labels: { a: "b" }, Containers: 0, SharedSize: -1, ParentId: "" });
  expect(row!.Size).toBeGreaterThan(image.layers[0]!.tar.length);
  const resolved = await store.images.resolve("app:one");
  expect(resolved).toMatchObject({ id: row!.Id, layers: image.layers.map(({ tar }) => sha256(tar)), config: { config: { Cmd: ["/bin/sh"] } } });
  await store.snapshots.prepare("box", resolved.layers);
  expect(readFileSync(join(await store.snapshots.mount("box"), "etc/motd"), "utf8")).toBe("hello");
  expect(await store.events()).toEqual([`load ${row!.Id} ${row!.Id}`, `load ${row!.Id} ${row!.Id}`]);
});

test("the id of an image from a Docker archive is the one dockerd gives it", async () => {
  await using store = await openStore();
  const image = makeImage([[text("a", "x")]], { compression: "none" });
  await load(store, dockerArchive(image, []));
  const [row] = await list(store);
  const layer = image.layers[0]!.blob;
  const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"${sha256(image.config)}","size":${image.config.length}},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","digest":"${sha256(layer)}","size":${layer.length}}]}`;
  expect(row!.Id).toBe(sha256(Buffer.from(manifest)));
  expect(row).toMatchObject({ RepoTags: [], RepoDigests: [] });
});

test("an OCI archive keeps its index; a compressed archive and linked layers are read", async () => {
  await using store = await openStore();
  const image = makeImage([[text("a", "x")], [text("b", "y")], [text("a", "x")]]);
  const manifest = manifestOf(image);
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: sha256(manifest), size: manifest.length };
  const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations: { "org.opencontainers.image.ref.name": "from/skopeo:1" } }, descriptor] };
  const files = [...image.layers.map(({ blob }) => blob), image.config, manifest].map((body) => ({ name: `blobs/sha256/${sha256(body).slice(7)}`, body }));
  const archive = packTar([...files, text("index.json", JSON.stringify(index)), text("oci-layout", '{"imageLayoutVersion":"1.0.0"}')]);
  expect(await load(store, gzipSync(archive))).toEqual([{ stream: "Loaded image: from/skopeo:1\n" }, { stream: `Loaded image ID: ${descriptor.digest}\n` }]);
  expect((await list(store)).map(({ Id, RepoTags }) => [Id, RepoTags])).toEqual([[descriptor.digest, ["from/skopeo:1"]]]);
  await load(store, dockerArchive(image, ["linked:1"], { links: true }));
  expect((await store.images.resolve("linked:1")).layers).toEqual(image.layers.map(({ tar }) => sha256(tar)));
});

test.each([
  ["a tar that is no image", packTar([text("x", "y")]), "unrecognized image format"],
  ["nothing", Buffer.alloc(0), "unrecognized image format"],
  ["a line of text", Buffer.from("hello\n"), "truncated"],
  ["an archive cut short", dockerArchive(small(), ["a:1"]).subarray(0, 2200), "truncated"],
  ["a manifest without its layer", packTar([text("manifest.json", '[{"Config":"c.json","Layers":["none"]}]'), text("c.json", "{}")]), 'layer "none" not found'],
  ["a manifest without its config", packTar([text("manifest.json", '[{"Config":"c.json"}]')]), 'image config "c.json" not found'],
  ["a manifest that is no list", packTar([text("manifest.json", "{}")]), "not a list of images"],
  ["a blob that is not what its name says", packTar([{ name: `blobs/sha256/${"0".repeat(64)}`, body: Buffer.from("x") }]), "have digest"],
])("%s is refused, and leaves nothing", async (_, archive, reason) => {
  await using store = await openStore();
  await expect(load(store, archive)).rejects.toThrow(reason);
  expect(await list(store)).toEqual([]);
  expect(readdirSync(join(store.root, "ingest"))).toEqual([]);
  expect(blobs(store)).toEqual([]);
});

test("a layer that is hostile is told, and the image does not run", async () => {
  await using store = await openStore();
  const image = makeImage([[{ name: "passwd", type: "1", linkName: "/etc/passwd" }]]);
  const messages = await load(store, dockerArchive(image, ["evil:1"]));
  expect(messages[1]!.stream).toMatch(/^Error unpacking image evil:1: layer entry "passwd" cannot be unpacked/);
  await expect(store.images.resolve("evil:1")).rejects.toMatchObject({ class: "invalidArgument" });
});

test("saving and loading again gives the same image, which skopeo's layout reading agrees with", async () => {
  await using store = await openStore();
  const image = makeImage([busyboxLayer()]);
  await load(store, dockerArchive(image, ["app:1", "app:2"]));
  const [before] = await list(store);
  const archive = Buffer.concat(await Array.fromAsync(await store.images.save(["app"], { signal })));
  const names = execFileSync("tar", ["-tf", "-"], { input: archive }).toString().trim().split("\n");
  expect(names.slice(-3)).toEqual(["index.json", "manifest.json", "oci-layout"]);
  await using other = await openStore();
  expect(await load(other, archive)).toEqual([{ stream: "Loaded image: app:1\n" }, { stream: "Loaded image: app:2\n" }]);
  expect(await list(other)).toEqual([before]);
  const index = JSON.parse(readFileSync(join(other.root, "content/index.json"), "utf8")) as { manifests: { annotations: Record<string, string> }[] };
  expect(index.manifests.map(({ annotations }) => annotations["org.opencontainers.image.ref.name"])).toEqual(["app:1", "app:2"]);
  await expect(store.images.save(["nope"], { signal })).rejects.toMatchObject({ class: "notFound", message: "No such image: nope:latest" });
});
