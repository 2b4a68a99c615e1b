import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { type FileServers, openFileServers } from "../fixtures/file-servers.ts";

const reason =
  process.env["SLIPWAY_TEST_LONG"] !== "1"
    ? "the servers are 150 MB to download: npm run test:long"
    : process.getuid?.() === 0
      ? undefined
      : "only root can run file servers: nobody's files but one's own otherwise";

/** Volumes that are folders of NFS and SMB servers, on a kernel that has both. */
export function fileServersSuite(name: string, engine: () => { readonly socket: string }): void {
  describe.skipIf(reason !== undefined)(`${name}${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
    let docker: StockDocker;
    let servers: FileServers;
    const nfs = (device: string, more = ""): string[] => ["-o", "type=nfs", "-o", `device=:${device}`, "-o", `o=addr=${servers.address},vers=4.1,soft${more}`];
    const smb = (password: string): string[] => [
      "-o",
      "type=cifs",
      "-o",
      `device=//${servers.address}/share`,
      "-o",
      `o=username=u,password=${password},vers=3.0`,
    ];
    const inside = (volume: string, script: string) => docker("run", "--rm", "-v", `${volume}:/data`, "slipway/welcome", "sh", "-c", script);

    beforeAll(async () => {
      docker = stockDocker(engine());
      servers = await openFileServers();
      writeFileSync(join(servers.folder, "file"), "of the server\n");
    }, 300_000);
    afterAll(() => servers?.[Symbol.asyncDispose]());

    test("a folder of an NFS server is read and written with its owners, and is no mount any more once nobody uses it", async () => {
      await docker.ok("volume", "create", ...nfs("/export"), "far");
      const seen = await inside("far", "cat /data/file; echo of a container > /data/new; chown 999:998 /data/new; grep -c ' nfs4 ' /proc/mounts");
      expect(seen).toMatchObject({ code: 0, stdout: "of the server\n1\n" });
      expect(readFileSync(join(servers.folder, "new"), "utf8")).toBe("of a container\n");
      expect(statSync(join(servers.folder, "new"))).toMatchObject({ uid: 999, gid: 998 });
      expect(await docker.ok("run", "--rm", "--privileged", "--pid", "host", "slipway/welcome", "sh", "-c", "grep -c nfs4 /proc/1/mounts || true")).toBe("0");
      await docker.ok("volume", "rm", "far");
      expect(readFileSync(join(servers.folder, "file"), "utf8")).toBe("of the server\n");
    });

    test("read-only is read-only, and a folder that the server does not have is said to be missing", async () => {
      await docker.ok("volume", "create", ...nfs("/export", ",ro"), "still");
      expect(await inside("still", "cat /data/file; echo no > /data/file")).toMatchObject({
        stdout: "of the server\n",
        stderr: expect.stringContaining("Read-only file system") as string,
      });
      await docker.ok("volume", "create", ...nfs("/nowhere"), "lost");
      const { code, stderr } = await inside("lost", "true");
      expect(code).not.toBe(0);
      expect(stderr).toMatch(
        /error while mounting volume '.*lost\/_data': failed to mount local volume: mount :\/nowhere:.*, data: addr=.*: no such file or directory/,
      );
      await docker.ok("volume", "rm", "still", "lost");
    });

    test("a share of an SMB server is read and written with its password, which no refusal repeats", async () => {
      await docker.ok("volume", "create", ...smb("secret"), "share");
      writeFileSync(join(servers.folder, "file"), "of the server\n");
      expect(await inside("share", "cat /data/file; grep -c ' cifs ' /proc/mounts")).toMatchObject({ code: 0, stdout: "of the server\n1\n" });
      await docker.ok("volume", "create", ...smb("guessed"), "wrong");
      const { code, stderr } = await inside("wrong", "true");
      expect(code).not.toBe(0);
      expect(stderr).toContain("permission denied");
      expect(stderr).not.toContain("guessed");
      await docker.ok("volume", "rm", "share", "wrong");
    });
  });
}
