import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive, tarOf } from "../fixtures/image.ts";
import { giveToOrdinaryUser } from "../fixtures/ordinary-user.ts";
import type { EngineUnderTest } from "./cli.suite.ts";

/** Folders of this computer in containers, as `-v` and `--mount` give them; `files`: how many the large tree has. */
export function sharesSuite(name: string, engine: () => EngineUnderTest, files: number): void {
  describe(name, () => {
    let docker: StockDocker;
    let dir = "";
    const inside = (flags: readonly string[], script: string): Promise<string> => docker.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script);

    beforeAll(async () => {
      docker = stockDocker(engine());
      dir = mkdtempSync(join(engine().folder ?? "/var/tmp", "slipway-shares-"));
      giveToOrdinaryUser(dir);
      writeFileSync(join(dir, "busybox.tar"), await dockerArchive([await busybox("busybox:latest")]));
      await docker.ok("load", "-i", join(dir, "busybox.tar"));
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    test(`a tree of ${files} files is unpacked, found, read and removed in a container, and is the same here`, async () => {
      const text = (i: number): string => `file ${i} of many\n`.repeat(20);
      const names = Array.from({ length: files }, (_, i) => `tree/package-${i % 200}/file-${i}.js`);
      writeFileSync(join(dir, "tree.tar"), await tarOf(names.map((path, i) => ({ name: path, data: text(i) }))));
      const counted = await inside(
        ["-v", `${dir}:/work`],
        "cd /work && busybox tar xf tree.tar && find tree -type f | wc -l && cat tree/package-*/*.js | wc -c",
      );
      expect(counted.split("\n").map(Number)).toEqual([files, names.reduce((sum, _, i) => sum + text(i).length, 0)]);
      const here = readdirSync(join(dir, "tree"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(here).toHaveLength(files);
      for (const i of [0, Math.floor(files / 2), files - 1]) expect(readFileSync(join(dir, names[i] ?? ""), "utf8")).toBe(text(i));
      await inside(["-v", `${dir}:/work`], "rm -rf /work/tree");
      expect(existsSync(join(dir, "tree"))).toBe(false);
    }, 3_600_000);

    test("names with spaces and of any script, single files, and read-only ones", async () => {
      const odd = join(dir, 'größe 你好, "so"');
      mkdirSync(odd);
      writeFileSync(join(odd, "ein wort"), "salz\n");
      giveToOrdinaryUser(odd, join(odd, "ein wort"));
      const mount = ["--mount", `type=bind,"src=${odd.replaceAll('"', '""')}",dst=/odd`];
      expect(await inside(mount, "cat '/odd/ein wort' && echo zucker > '/odd/ein wort'")).toBe("salz");
      expect(
        await inside(
          ["--mount", `type=bind,"src=${join(odd, "ein wort").replaceAll('"', '""')}",dst=/word,readonly`],
          "cat /word; echo no > /word || echo kept",
        ),
      ).toBe("zucker\nkept");
    });

    test("a source that is not there is made for -v and refused for --mount", async () => {
      expect(await inside(["-v", `${join(dir, "made/deep")}:/x`], "ls -A /x | wc -l")).toBe("0");
      expect(readdirSync(join(dir, "made"))).toEqual(["deep"]);
      const refused = await docker("run", "--rm", "--mount", `type=bind,src=${join(dir, "absent")},dst=/x`, "busybox", "true");
      expect(refused).toMatchObject({ code: 125 });
      expect(refused.stderr).toContain(`bind source path does not exist: ${join(dir, "absent")}`);
    });

    test("what a container syncs is here", async () => {
      await inside(["-v", `${dir}:/work`], "dd if=/dev/zero of=/work/synced bs=64k count=16 conv=fsync 2>/dev/null");
      expect(readFileSync(join(dir, "synced")).equals(Buffer.alloc(1 << 20))).toBe(true);
    });
  });
}
