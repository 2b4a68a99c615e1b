import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SharedFolders } from "./folders.ts";
import { readSharedFile, writeSharedFile } from "./shared-files.ts";

let dir = "";
let folders: SharedFolders;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "slipway-files-")));
  for (const name of ["shared", "private"]) mkdirSync(join(dir, name));
  folders = new SharedFolders(() => [join(dir, "shared")]);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a text is read, written over, and not written over once another program has written it", async () => {
  const path = join(dir, "shared/compose.yaml");
  writeFileSync(path, "services: {}\n");
  const opened = await readSharedFile(folders, path);
  expect(opened).toMatchObject({ path, text: "services: {}\n" });
  const saved = await writeSharedFile(folders, { path, text: "services: { a: {} }\n", version: opened.version });
  expect(readFileSync(path, "utf8")).toBe("services: { a: {} }\n");
  writeFileSync(path, "somebody else's\n");
  await expect(writeSharedFile(folders, { path, text: "mine", version: saved.version })).rejects.toMatchObject({ class: "conflict" });
  expect(readFileSync(path, "utf8")).toBe("somebody else's\n");
});

test("a new file is made where there is none, and only there", async () => {
  const path = join(dir, "shared/new.yaml");
  await writeSharedFile(folders, { path, text: "a: 1\n", version: "" });
  expect(readFileSync(path, "utf8")).toBe("a: 1\n");
  await expect(writeSharedFile(folders, { path, text: "b: 1\n", version: "" })).rejects.toMatchObject({ class: "conflict" });
});

test("what is in no shared folder is neither read nor written, links included, nor what is no text", async () => {
  writeFileSync(join(dir, "private/secret"), "secret\n");
  symlinkSync(join(dir, "private/secret"), join(dir, "shared/link"));
  for (const path of ["private/secret", "shared/../private/secret", "shared/link"].map((name) => `${dir}/${name}`)) {
    await expect(readSharedFile(folders, path), path).rejects.toMatchObject({ class: "forbidden" });
    await expect(writeSharedFile(folders, { path, text: "x", version: "" }), path).rejects.toMatchObject({ class: "forbidden" });
  }
  writeFileSync(join(dir, "shared/binary"), Buffer.from([0xff, 0xfe, 0x00]));
  await expect(readSharedFile(folders, join(dir, "shared/binary"))).rejects.toMatchObject({ class: "invalidArgument" });
  await expect(readSharedFile(folders, join(dir, "shared/none"))).rejects.toMatchObject({ class: "notFound" });
  expect(readFileSync(join(dir, "private/secret"), "utf8")).toBe("secret\n");
});
