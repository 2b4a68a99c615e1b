import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findVirtiofsd, startVirtiofsd, virtiofsdArguments } from "./virtiofsd.ts";

let tree: string;
beforeEach(() => void (tree = mkdtempSync(join(tmpdir(), "slipway-tree-"))));
afterEach(() => rmSync(tree, { recursive: true }));
const put = (path: string, text = ""): void => {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text, { mode: 0o755 });
};

test("root keeps owners, an ordinary user owns everything and chown does not fail", () => {
  expect(virtiofsdArguments("/s", "/d", { uid: 0, gid: 0 })).toEqual(
    expect.arrayContaining(["--socket-path=/s", "--shared-dir=/d", "--sandbox=chroot", "--inode-file-handles=prefer"]),
  );
  const user = virtiofsdArguments("/s", "/d", { uid: 1000, gid: 100 });
  expect(user).toEqual(
    expect.arrayContaining(["--sandbox=namespace", "--translate-uid=squash-guest:0:1000:4294967295", "--translate-gid=squash-guest:0:100:4294967295"]),
  );
});

test("the daemon runs with the tree's own loader and libraries", async () => {
  expect(await findVirtiofsd(tree, "linux", "x64")).toBeUndefined();
  put("usr/libexec/virtiofsd");
  put("usr/lib64/ld-linux-x86-64.so.2");
  expect(await findVirtiofsd(tree, "linux", "x64")).toEqual({
    command: join(tree, "usr/lib64/ld-linux-x86-64.so.2"),
    args: ["--library-path", join(tree, "usr/lib/x86_64-linux-gnu"), join(tree, "usr/libexec/virtiofsd")],
  });
  expect(await findVirtiofsd(tree, "darwin", "x64")).toBeUndefined();
  expect(await findVirtiofsd(tree, "linux", "riscv64")).toBeUndefined();
});

test("a daemon that ends at once fails the share with its own words", async () => {
  put("broken", "#!/bin/sh\necho 'no user namespaces here' >&2\nexit 3\n");
  const starting = startVirtiofsd({ command: join(tree, "broken"), args: [] }, join(tree, "s"), tree, new AbortController().signal);
  await expect(starting).rejects.toMatchObject({ class: "unavailable", message: `virtiofsd cannot share ${tree}: no user namespaces here` });
});
