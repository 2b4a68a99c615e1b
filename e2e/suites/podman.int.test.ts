import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Rig, openRig } from "../engine/rig.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busyboxLayer, makeImage, type MadeImage } from "../fixtures/image.ts";
import { type PodmanStore, podmanStore } from "../fixtures/podman.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";

/** Archives between this engine and podman, both ways: an image is the same one on the other side, to the byte. */
const root = mkdtempSync("/var/tmp/slipway-podman-");
let rig: Rig;
let docker: StockDocker;
let registry: TestRegistry;
let podman: PodmanStore;
/** One that Docker's own archive brought, with Docker's media types, and one that a registry gave as OCI. */
let ofDocker: MadeImage;
let ofOci: MadeImage;
let ociName: string;

beforeAll(async () => {
  const second = [
    { name: "etc/motd", data: "hello\n" },
    { name: "etc/.wh.group", data: "" },
  ];
  ofDocker = await makeImage("app:1", [busyboxLayer(), second], { Cmd: ["cat", "/etc/motd"] });
  ofOci = await makeImage("oci:1", [busyboxLayer(), second, [{ name: "etc/motd", data: "again\n" }]], { Cmd: ["cat", "/etc/motd"] });
  rig = await openRig("po", { images: [ofDocker] });
  docker = stockDocker({ socket: rig.program.socket, netns: rig.netns });
  podman = podmanStore(docker, root);
  registry = await startRegistry({ dir: join(root, "registry"), port: 5059, netns: rig.netns });
  await registry.push("team/oci", "1", ofOci);
  ociName = `${registry.address}/team/oci:1`;
  await docker.ok("pull", ociName);
}, 400_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const sha256 = (bytes: string | Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const file = (name: string): string => join(root, name);
const layersOf = (image: MadeImage): string[] => image.layers.map(({ diffId }) => diffId);

/** The configuration that podman's store has of an image; its digest is the image's id there. */
const inPodman = (name: string): Promise<string> => podman.skopeo("inspect", "--config", "--raw", podman.at(name));

/** What this engine has of an image: its id, which is its manifest's digest, and the digest of its configuration. */
async function here(name: string): Promise<{ id: string; config: string; layers: string[] }> {
  const [shown] = JSON.parse(await docker.ok("image", "inspect", name)) as [{ Id: string; RootFS: { Layers: string[] } }];
  const manifest = readFileSync(join(rig.program.root, "content/blobs/sha256", shown.Id.slice(7)), "utf8");
  return { id: shown.Id, config: (JSON.parse(manifest) as { config: { digest: string } }).config.digest, layers: shown.RootFS.Layers };
}

test("an archive of one image is an OCI archive to podman, which has the same image then", async () => {
  await docker.ok("save", "-o", file("one.tar"), ociName);
  await podman.skopeo("copy", `oci-archive:${file("one.tar")}`, podman.at("localhost/one:1"));
  expect(await inPodman("localhost/one:1")).toBe(ofOci.config.toString());
  const manifest = JSON.parse(await podman.skopeo("inspect", "--raw", podman.at("localhost/one:1"))) as { config: { digest: string } };
  expect(manifest.config.digest).toBe((await here(ociName)).config);
});

test("an archive of several images is a Docker archive to podman, which finds each by its name", async () => {
  await docker.ok("save", "-o", file("both.tar"), "app:1", ociName);
  for (const [name, image] of [
    ["app:1", ofDocker],
    [ociName, ofOci],
  ] as const) {
    await podman.skopeo("copy", `docker-archive:${file("both.tar")}:${name}`, podman.at("localhost/both:1"));
    const config = await inPodman("localhost/both:1");
    expect(config).toBe(image.config.toString());
    expect((JSON.parse(config) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids).toEqual((await here(name)).layers);
  }
});

test.each([
  ["docker-archive", "Docker's", () => ofDocker],
  ["docker-archive", "OCI", () => ofOci],
  ["oci-archive", "OCI", () => ofOci],
])("what podman saves as %s of an image with %s types is the same image here, and runs", async (format, _, given) => {
  const image = given();
  const name = `localhost/${format}/${sha256(image.config).slice(7, 15)}:2`;
  await docker.ok("save", "-o", file("out.tar"), image === ofOci ? ociName : "app:1");
  const source = image === ofOci ? `oci-archive:${file("out.tar")}` : `docker-archive:${file("out.tar")}`;
  await podman.skopeo("copy", source, podman.at(name));
  rmSync(file("back.tar"), { force: true });
  // Layers come anew out of the store's unpacked files, as `podman save` makes them.
  await podman.skopeo("copy", podman.at(name), `${format}:${file("back.tar")}:${name}`);
  expect(await docker.ok("load", "-i", file("back.tar"))).toBe(`Loaded image: ${name}`);
  const loaded = await here(name);
  expect(loaded.layers).toEqual(layersOf(image));
  expect(loaded.config).toBe(sha256(image.config));
  if (format === "oci-archive") expect(loaded.id).toBe(sha256(await podman.skopeo("inspect", "--raw", `${format}:${file("back.tar")}:${name}`)));
  expect(await docker.ok("run", "--rm", name)).toBe(image === ofOci ? "again" : "hello");
  expect(await docker.ok("run", "--rm", name, "ls", "/etc")).not.toContain("group");
  await docker.ok("rmi", name);
});
