import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packContext } from "./build-context.ts";
import { SharedFolders } from "./folders.ts";

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "slipway-folders-"))));
afterEach(() => rm(root, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, ".."), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

async function packed(dockerfile = "Dockerfile"): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const unpacking = extract();
  unpacking.on("entry", (header, stream, next) => {
    let text = header.type === "symlink" ? `-> ${header.linkname}` : "";
    stream.on("data", (chunk) => (text += String(chunk)));
    stream.on("end", () => {
      found[header.name] = text;
      next();
    });
  });
  await pipeline(Readable.from(packContext({ folder: root, dockerfile }, new AbortController().signal)), unpacking);
  return found;
}

test("a context has what .dockerignore leaves, and the Dockerfile in any case", async () => {
  await write({
    Dockerfile: "FROM x",
    ".dockerignore": "Dockerfile\nnode_modules\n*.log\n!keep.log",
    "src/a.ts": "a",
    "node_modules/m/i.js": "m",
    "b.log": "b",
    "keep.log": "k",
  });
  await symlink("src/a.ts", join(root, "link"));
  expect(await packed()).toEqual({
    ".dockerignore": expect.any(String),
    Dockerfile: "FROM x",
    "src/": "",
    "src/a.ts": "a",
    "keep.log": "k",
    link: "-> src/a.ts",
  });
});

test("a Dockerfile elsewhere in the folder has its own .dockerignore", async () => {
  await write({ "deploy/Dockerfile": "FROM x", "deploy/Dockerfile.dockerignore": "*\n!a", a: "a", b: "b" });
  expect(Object.keys(await packed("deploy/Dockerfile"))).toEqual(["a", "deploy/Dockerfile"]);
  await expect(packed("Dockerfile")).rejects.toThrow(/there is no Dockerfile in .*: name the Dockerfile/);
});

test("a large file and names longer than a tar's field arrive whole", async () => {
  const name = `${"long/".repeat(40)}file`;
  await write({ Dockerfile: "FROM x", [name]: "x".repeat(1_000_000) });
  expect((await packed())[name]).toHaveLength(1_000_000);
});

test("only shared folders are listed, and links do not lead out of them", async () => {
  await write({ "shared/app/Dockerfile": "FROM x", "secret/key": "k" });
  await symlink(join(root, "secret"), join(root, "shared/out"));
  const folders = new SharedFolders(() => [join(root, "shared")]);
  expect((await folders.list("")).entries).toMatchObject([{ path: join(root, "shared"), kind: "folder" }]);
  expect(await folders.list(join(root, "shared/app"))).toMatchObject({ parent: join(root, "shared"), entries: [{ name: "Dockerfile", kind: "file" }] });
  expect(await folders.list(join(root, "shared"))).toMatchObject({ parent: "" });
  for (const path of ["secret", "shared/out", "shared/../secret"]) await expect(folders.list(join(root, path))).rejects.toMatchObject({ class: "forbidden" });
  await expect(folders.list(join(root, "shared/nothing"))).rejects.toMatchObject({ class: "notFound" });
  await expect(folders.list("shared")).rejects.toMatchObject({ class: "invalidArgument" });
});
