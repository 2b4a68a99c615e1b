import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { giveToOrdinaryUser } from "../fixtures/ordinary-user.ts";
import type { EngineUnderTest } from "./cli.suite.ts";

/** Who owns what in a shared folder of an ordinary user's machine: in containers whoever they say, here that user. */
export function ownersSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    let docker: StockDocker;
    let folder = "";
    const inside = (uid: number, script: string): Promise<string> =>
      docker.ok("run", "--rm", "-u", String(uid), "-v", `${folder}:/work`, "slipway/welcome", "sh", "-ec", script);
    const owners = (...paths: string[]): Promise<string> => inside(0, `cd /work; stat -c '%n %u:%g %a' ${paths.join(" ")}`);

    beforeAll(() => {
      docker = stockDocker(engine());
      folder = mkdtempSync(join(engine().folder ?? "/var/tmp", "slipway-owners-"));
      writeFileSync(join(folder, "mine"), "of the host\n", { mode: 0o600 });
      giveToOrdinaryUser(folder, join(folder, "mine"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test("a database's folder is its user's once it was given to it, and nobody else's", async () => {
      await inside(0, "mkdir /work/data; chown 70:70 /work/data; chmod 700 /work/data");
      expect(await inside(70, "echo row > /work/data/table; sync; cat /work/data/table")).toBe("row");
      const other = await docker("run", "--rm", "-u", "1235", "-v", `${folder}:/work`, "slipway/welcome", "cat", "/work/data/table");
      expect(other).toMatchObject({ code: 1 });
      expect(other.stderr).toContain("Permission denied");
      expect(await owners("data", "data/table")).toBe("data 70:70 700\ndata/table 70:0 644");
    });

    test("containers own what they make, whoever they run as, and can go on with it", async () => {
      await inside(0, "mkdir -m 777 /work/all; echo root > /work/all/root; chown 999:999 /work/all/root; echo more >> /work/all/root");
      await inside(1_234, "cd /work/all; echo other > other; mv other renamed; mkdir -m 700 own; echo deep > own/file; chmod 4711 own/file");
      const seen = ["all 0:0 777", "all/root 999:999 644", "all/renamed 1234:0 644", "all/own 1234:0 700", "all/own/file 1234:0 4711"];
      expect(await owners("all", "all/root", "all/renamed", "all/own", "all/own/file")).toBe(seen.join("\n"));
      await inside(1_234, "rm -r /work/all/own");
      expect(existsSync(join(folder, "all/own"))).toBe(false);
    });

    test("here all of it is the user's who runs the machine, with no bit that lets anybody run as that user", async () => {
      const { uid, gid } = statSync(folder);
      await inside(1_234, "echo x > /work/all/program; chmod 6777 /work/all/program");
      for (const path of ["data", "data/table", "all", "all/root", "all/renamed", "all/program"]) {
        expect(statSync(join(folder, path)), path).toMatchObject({ uid, gid });
        expect(statSync(join(folder, path)).mode & 0o6000, path).toBe(0);
      }
      expect(readFileSync(join(folder, "all/root"), "utf8")).toBe("root\nmore\n");
      expect(await owners("all/program")).toBe("all/program 1234:0 6777");
    });

    test("files of this computer have the owner they have here, and a container of that user reads and writes them", async () => {
      const { uid } = statSync(join(folder, "mine"));
      expect(await owners("mine")).toBe(`mine ${uid}:${statSync(join(folder, "mine")).gid} 600`);
      await inside(uid, "echo own >> /work/mine");
      expect(readFileSync(join(folder, "mine"), "utf8")).toBe("of the host\nown\n");
      mkdirSync(join(folder, "later"));
      giveToOrdinaryUser(join(folder, "later"));
      await inside(uid, "echo 1 > /work/later/file");
      expect(readFileSync(join(folder, "later/file"), "utf8")).toBe("1\n");
    });

    test("when the program dies that serves shared folders, containers that start afterwards have theirs, with what was remembered", async () => {
      const kill = "for p in /proc/[0-9]*; do if grep -q '[s]hares.mjs' $p/cmdline; then kill -9 ${p#/proc/} && echo killed; fi; done";
      const killing = await docker("run", "--rm", "--privileged", "--pid", "host", "slipway/welcome", "sh", "-c", kill);
      expect(killing.stdout).toContain("killed");
      const seen = () => docker("run", "--rm", "-v", `${folder}:/work`, "slipway/welcome", "sh", "-c", "cat /work/all/root && echo again >> /work/all/root");
      await expect.poll(async () => (await seen()).stdout, { timeout: 120_000, interval: 500 }).toBe("root\nmore\n");
      expect(readFileSync(join(folder, "all/root"), "utf8")).toBe("root\nmore\nagain\n");
      expect(await owners("all/root")).toBe("all/root 999:999 644");
    });
  });
}
