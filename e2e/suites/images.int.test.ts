import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageFileList, ImageLayers } from "#api/image-files.ts";
import { type Rig, openRig } from "../engine/rig.ts";
import { imageTool } from "../fixtures/clients.mjs";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { estargzLayer } from "../fixtures/estargz.ts";
import { busyboxLayer, imageOf, makeImage, tarOf } from "../fixtures/image.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";

/** Images through the stock CLI, a real registry, and the tools of others. */
const root = mkdtempSync("/var/tmp/slipway-images-");
/** `user` and `pass`. */
const htpasswd = "user:$2b$05$dYvDWBLgGwNdQdY6PRR3.uJLGholZR7YCiFR5IVr890uJSh6RwyVK\n";
let rig: Rig;
let docker: StockDocker;
let registry: TestRegistry;
let closed: TestRegistry;
let content: string;

beforeAll(async () => {
  imageTool("skopeo");
  rig = await openRig("im", {
    images: [await makeImage("app:1", [busyboxLayer(), [{ name: "etc/motd", data: "hello\n" }]], { Cmd: ["cat", "/etc/motd"], Labels: { a: "b" } })],
  });
  docker = stockDocker({ socket: rig.program.socket, netns: rig.netns });
  content = join(rig.program.root, "content");
  mkdirSync(join(root, "closed"));
  writeFileSync(join(root, "htpasswd"), htpasswd);
  registry = await startRegistry({ dir: join(root, "open"), port: 5057, netns: rig.netns });
  closed = await startRegistry({ dir: join(root, "closed"), port: 5058, netns: rig.netns, htpasswd: join(root, "htpasswd"), login: "user:pass" });
}, 400_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await closed?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const skopeo = async (...args: readonly string[]): Promise<string> => {
  const result = await docker.inside([...imageTool("skopeo"), ...args]);
  if (result.code !== 0) throw new Error(result.stderr);
  return result.stdout;
};
const idOf = (image: string): Promise<string> => docker.ok("image", "inspect", "-f", "{{.Id}}", image);
const layersOf = (image: string): Promise<string> => docker.ok("image", "inspect", "-f", "{{.RootFS.Layers}}", image);

test("what is pushed is pulled back the same; the CLI draws it to its end", async () => {
  const name = `${registry.address}/team/app:1`;
  const id = await idOf("app:1");
  await docker.ok("tag", "app:1", name);
  const pushed = await docker.ok("push", name);
  expect(pushed).toContain(`The push refers to repository [${registry.address}/team/app]`);
  expect(pushed.match(/: Pushed$/gm)).toHaveLength(2);
  expect(pushed).toMatch(new RegExp(`1: digest: ${id} size: \\d+`));
  expect((await docker.ok("push", name)).match(/: Layer already exists$/gm)).toHaveLength(2);
  await docker.ok("rmi", name);
  const pulled = await docker.ok("pull", name);
  expect(pulled).toContain(`Digest: ${id}`);
  expect(pulled.match(/: Already exists$/gm) ?? pulled.match(/Status: /g)).not.toBeNull();
  expect(await idOf(name)).toBe(id);
  expect(await docker.ok("run", "--rm", name)).toBe("hello");
  expect(await docker.ok("push", "-q", name)).toBe(name);
  expect(JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${name}`))).toMatchObject({ Digest: id, Labels: { a: "b" } });
});

test("a terminal shows the layers' bars and loses none", async () => {
  const name = `${registry.address}/team/tty:1`;
  await docker.ok("tag", "app:1", name);
  const drawn = await docker.with({ tty: true }, "push", name);
  expect(drawn.code).toBe(0);
  expect(drawn.stdout).toContain("Mounted from team/app");
  expect(drawn.stdout).toContain("1: digest: sha256:");
});

test("a registry that wants a login gets it from the CLI, and nothing without", async () => {
  const config = join(root, "config");
  mkdirSync(config);
  const name = `${closed.address}/secret/app:1`;
  await docker.ok("tag", "app:1", name);
  const denied = await docker("--config", config, "push", name);
  expect(denied.stderr + denied.stdout).toContain("push access denied, repository does not exist or may require authorization");
  const wrong = await docker.with({ input: "nope" }, "--config", config, "login", "-u", "user", "--password-stdin", closed.address);
  expect(wrong.stderr).toMatch(/unauthorized|401/);
  expect((await docker.with({ input: "pass" }, "--config", config, "login", "-u", "user", "--password-stdin", closed.address)).stdout).toContain(
    "Login Succeeded",
  );
  await docker.ok("--config", config, "push", name);
  await docker.ok("rmi", name);
  expect((await docker("pull", name)).stderr).toContain("pull access denied, repository does not exist or may require authorization");
  await docker.ok("--config", config, "pull", name);
  expect(await idOf(name)).toBe(await idOf("app:1"));
  expect(await docker.ok("--config", config, "manifest", "inspect", "--insecure", name)).toContain("schemaVersion");
  await docker.ok("--config", config, "logout", closed.address);
});

test("an archive of docker save is read by skopeo both ways, and loaded again it is the same image", async () => {
  const file = join(root, "saved.tar");
  await docker.ok("tag", "app:1", "two:2");
  await docker.ok("save", "-o", file, "app:1", "two:2");
  const [id, layers] = [await idOf("app:1"), await layersOf("app:1")];
  expect(JSON.parse(await skopeo("inspect", `docker-archive:${file}:app:1`))).toMatchObject({ Labels: { a: "b" }, Os: "linux" });
  await docker.ok("rmi", "app:1", "two:2");
  expect(await docker.ok("load", "-i", file)).toBe("Loaded image: app:1\nLoaded image: two:2");
  expect([await idOf("app:1"), await layersOf("two:2")]).toEqual([id, layers]);
  await skopeo("copy", "--insecure-policy", `docker-archive:${file}:two:2`, `docker-archive:${join(root, "skopeo.tar")}:from/skopeo:3`);
  expect(await docker.ok("load", "-i", join(root, "skopeo.tar"))).toBe("Loaded image: from/skopeo:3");
  expect(await layersOf("from/skopeo:3")).toBe(layers);
  expect(await docker.ok("run", "--rm", "from/skopeo:3")).toBe("hello");
});

test("skopeo and umoci read the store on the disk as it is, and an archive as an OCI layout", async () => {
  await registry.push("oci/app", "1", await makeImage("oci:1", [busyboxLayer(), [{ name: "oci", data: "layout" }]]));
  const name = `${registry.address}/oci/app:1`;
  await docker.ok("pull", name);
  const inspected = JSON.parse(await skopeo("inspect", `oci:${content}:${name}`)) as { Digest: string };
  expect(inspected.Digest).toBe(await idOf(name));
  const umoci = async (...args: readonly string[]): Promise<string> => (await docker.inside([...imageTool("umoci"), ...args])).stdout;
  expect((await umoci("ls", "--layout", content)).split("\n")).toEqual(expect.arrayContaining([name, "app:1", "busybox:latest"]));
  const file = join(root, "oci.tar");
  await docker.ok("save", "-o", file, name);
  await skopeo("copy", "--insecure-policy", `oci-archive:${file}:1`, `oci:${join(root, "copied")}:one`);
  await umoci("unpack", "--image", `${join(root, "copied")}:one`, join(root, "bundle"));
  expect(readFileSync(join(root, "bundle/rootfs/oci"), "utf8")).toBe("layout");
});

test("a container's root is exported and imported, with changes; an image made of it goes to a registry compressed", async () => {
  const container = await docker.ok("create", "app:1");
  const file = join(root, "root.tar");
  await docker.ok("export", "-o", file, container);
  await docker.ok("rm", container);
  const id = await docker.ok("import", "-c", 'CMD ["cat", "/etc/motd"]', "-c", "ENV K=v", "-m", "brought in", file, "brought:1");
  expect(id).toBe(await idOf("brought:1"));
  expect(await docker.ok("run", "--rm", "brought:1")).toBe("hello");
  expect(await docker.ok("history", "--format", "{{.Comment}}", "brought:1")).toBe("brought in");
  execFileSync("gzip", ["-k", file]);
  const piped = await docker.with({ input: readFileSync(`${file}.gz`) }, "import", "-");
  expect(await layersOf(piped.stdout.trim())).toBe(await layersOf("brought:1"));
  const name = `${registry.address}/brought:1`;
  await docker.ok("tag", "brought:1", name);
  await docker.ok("push", name);
  const raw = JSON.parse(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)) as { layers: { mediaType: string }[] };
  expect(raw.layers.map(({ mediaType }) => mediaType)).toEqual(["application/vnd.oci.image.layer.v1.tar+gzip"]);
});

test("an import that is no tar fails in words, and leaves nothing", async () => {
  const tar = await tarOf([{ name: "a", data: "x".repeat(5_000) }]);
  const broken = await docker.with({ input: tar.subarray(0, 2_000) }, "import", "-", "broken:1");
  expect(broken.code).not.toBe(0);
  expect(broken.stderr).toContain("truncated");
  expect(await docker.ok("images", "-q", "broken")).toBe("");
});

test("the window looks into an image: its layers, their files, and what is in them", async () => {
  await registry.push("look/app", "1", await makeImage("look:1", [busyboxLayer(), [{ name: "www/index.html", data: "<h1>changed</h1>\n" }]]));
  const name = `${registry.address}/look/app:1`;
  await docker.ok("pull", name);
  const base = `/slipway/images/${name}`;
  const layers = await rig.client.json<ImageLayers>("GET", `${base}/layers`);
  expect(layers.Layers.map(({ Wasted, CreatedBy }) => [Wasted, CreatedBy])).toEqual([
    [32, "made on the spot"],
    [0, "made on the spot"],
  ]);
  const list = await rig.client.json<ImageFileList>("GET", `${base}/files`, { query: { path: "/www" } });
  expect(list.entries).toMatchObject([{ name: "index.html", kind: "file", size: 17, layer: 1 }]);
  expect((await rig.client.json<ImageFileList>("GET", `${base}/files`, { query: { path: "/www", layer: "0" } })).entries[0]).toMatchObject({
    size: 32,
    layer: 0,
  });
  const read = async (query: Record<string, string>): Promise<string> => await text((await rig.client.stream("GET", `${base}/file`, { query })).body);
  expect(await read({ path: "/www/index.html" })).toBe("<h1>changed</h1>\n");
  expect(await read({ path: "/www/index.html", layer: "0" })).toBe("<h1>hello from a container</h1>\n");
  await docker.ok("rmi", name);
});

test("an eStargz layer is pulled as any other, and its files are there", async () => {
  const lazy = await estargzLayer([...busyboxLayer(), { name: "lazy", data: "read whole\n" }]);
  await registry.push("lazy/app", "1", imageOf("lazy:1", [lazy]));
  const name = `${registry.address}/lazy/app:1`;
  expect(await docker.ok("run", "--rm", name, "cat", "/lazy")).toBe("read whole");
  await docker.ok("rmi", name);
});

test("pulls and pushes that are over leave no connection and no file open", async () => {
  const engine = daemonOf(rig.program.socket);
  const open = (): number => readdirSync(`/proc/${engine}/fd`).length;
  const name = `${registry.address}/many/app:1`;
  await docker.ok("tag", "busybox:latest", name);
  await docker.ok("push", name);
  const round = async (): Promise<void> => {
    await docker.ok("rmi", name);
    await docker.ok("pull", name);
    await docker.ok("push", name);
    expect((await docker("pull", `${registry.address}/many/app:none`)).code).not.toBe(0);
  };
  // Connections that are kept for the next request are as many as there are once.
  await round();
  const before = open();
  for (let i = 0; i < 10; i += 1) await round();
  await expect.poll(open, { timeout: 60_000 }).toBeLessThanOrEqual(before + 8);
  await docker.ok("rmi", name);
});

test("docker search without a registry that offers it says so", async () => {
  const result = await docker("search", `${registry.address}/x`);
  expect(result.stderr).toContain(`the registry ${registry.address} offers no search`);
});

test("docker system df counts everything once, and says for each image what it shares", async () => {
  await registry.push("base/one", "1", await makeImage("base:1", [busyboxLayer(), [{ name: "one", data: "1" }]]));
  await registry.push("base/two", "1", await makeImage("base:2", [busyboxLayer(), [{ name: "two", data: "2" }]]));
  await docker.ok("image", "prune", "-af");
  const names = ["one", "two"].map((name) => `${registry.address}/base/${name}:1`);
  for (const name of names) await docker.ok("pull", name);
  const usage = await rig.client.json<{ LayersSize: number; Images: { RepoTags: string[]; Size: number; SharedSize: number }[] }>("GET", "/system/df");
  const rows = usage.Images.filter(({ RepoTags }) => names.includes(RepoTags[0]!));
  expect(rows.map(({ RepoTags }) => RepoTags[0]!).toSorted()).toEqual(names.toSorted());
  const [first, second] = rows as [(typeof rows)[0], (typeof rows)[0]];
  expect(first.SharedSize).toBe(second.SharedSize);
  expect(first.SharedSize).toBeGreaterThan(1_000_000);
  const compressed = (await docker.ok("image", "inspect", "-f", "{{.Size}}", ...names)).split("\n").map(Number);
  const { layers } = JSON.parse(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${names[0]!}`)) as { layers: { size: number }[] };
  const unpacked = first.Size + second.Size - compressed[0]! - compressed[1]! - first.SharedSize;
  expect(usage.LayersSize).toBe(compressed[0]! + compressed[1]! - layers[0]!.size + unpacked);
  expect(await docker.ok("image", "prune", "-af")).toContain("Total reclaimed space:");
  expect(await docker.ok("images", "-q")).toBe("");
  expect(await docker.ok("system", "df", "--format", "{{.Type}} {{.Size}}")).toContain("Images 0B");
});
