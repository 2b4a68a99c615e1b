import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stockDocker } from "../fixtures/docker.ts";
import { type Program, startMachine } from "../fixtures/program.ts";

/** Debian's nobody: any user who is not root. */
const user = 65_534;
const reason =
  process.env["SLIPWAY_TEST_LONG"] !== "1"
    ? "one more machine takes a minute: npm run test:long"
    : process.getuid?.() === 0
      ? undefined
      : "only root can start a machine for somebody else: the other tests run it for you";
const root = mkdtempSync("/var/tmp/slipway-ordinary-");
let machine: Program | undefined;

afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

test.skipIf(reason !== undefined)(
  `of a machine that an ordinary user runs, containers of root, of the same user, and of others where all may write, make that user's own files, and chown does not fail${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  async () => {
    const folder = join(root, "folder");
    mkdirSync(folder);
    writeFileSync(join(folder, "mine"), "of the host\n", { mode: 0o600 });
    for (const path of [root, folder, join(folder, "mine")]) chownSync(path, user, user);
    const under = ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "env", `HOME=${root}`];
    machine = await startMachine({ root, under, args: ["--share", folder] });
    const docker = stockDocker(machine);
    const inside = (uid: number, script: string): Promise<string> =>
      docker.ok("run", "--rm", "-u", String(uid), "-v", `${folder}:/work`, "slipway/welcome", "sh", "-ec", script);
    expect(
      await inside(0, "cat /work/mine; mkdir -m 777 /work/all; echo root > /work/all/root; chown 999:999 /work/all/root; echo more >> /work/all/root"),
    ).toBe("of the host");
    await inside(1_234, "echo other > /work/all/other; mv /work/all/other /work/all/renamed");
    await inside(user, "echo own >> /work/mine; mkdir /work/all/deep; echo deep > /work/all/deep/file");
    const texts = { root: "root\nmore\n", renamed: "other\n", "deep/file": "deep\n" };
    for (const [path, text] of Object.entries(texts)) expect(readFileSync(join(folder, "all", path), "utf8")).toBe(text);
    for (const path of ["", "root", "renamed", "deep", "deep/file"]) expect(statSync(join(folder, "all", path)), path).toMatchObject({ uid: user, gid: user });
    expect(readFileSync(join(folder, "mine"), "utf8")).toBe("of the host\nown\n");
    await inside(user, "rm -r /work/all/deep");
    expect(existsSync(join(folder, "all/deep"))).toBe(false);
  },
);
