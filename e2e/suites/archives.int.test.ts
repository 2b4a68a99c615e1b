import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Rig, openRig } from "../engine/rig.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busyboxLayer, makeImage } from "../fixtures/image.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";

/** Archives between this engine and a live dockerd: the same image on the other side, to the digest of its manifest. */
describe.runIf(process.env["SLIPWAY_TEST_REFERENCE"] === "1")("archives", () => {
  const root = mkdtempSync("/var/tmp/slipway-archives-");
  const pulled = "127.0.0.1:5081/team/oci:1";
  let rig: Rig;
  let dockerd: ReferenceDockerd;
  const registries: TestRegistry[] = [];
  let ours: StockDocker;
  let theirs: StockDocker;

  beforeAll(async () => {
    const second = [
      { name: "etc/motd", data: "hello\n" },
      { name: "etc/.wh.group", data: "" },
    ];
    rig = await openRig("ar");
    dockerd = await startReferenceDockerd("slipway-ref-archives");
    ours = stockDocker({ socket: rig.program.socket, netns: rig.netns });
    theirs = stockDocker({ socket: dockerd.socket, netns: dockerd.netns });
    for (const netns of [rig.netns, dockerd.netns]) {
      const registry = await startRegistry({ dir: join(root, netns), port: 5081, netns });
      registries.push(registry);
      await registry.push("team/oci", "1", await makeImage("oci:1", [busyboxLayer(), second], { Cmd: ["cat", "/etc/motd"] }));
    }
  }, 400_000);
  afterAll(async () => {
    for (const registry of registries) await registry[Symbol.asyncDispose]();
    await dockerd?.[Symbol.asyncDispose]();
    await rig?.[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });

  /** What tells an image from others: its manifest's digest, its configuration and its layers. */
  const identity = (docker: StockDocker, image: string): Promise<string> =>
    docker.ok("image", "inspect", "-f", "{{.Id}} {{.Created}} {{json .Config.Cmd}} {{json .Config.Env}} {{json .RootFS.Layers}}", image);

  test.each([
    ["from here to dockerd", () => [ours, theirs] as const],
    ["from dockerd to here", () => [theirs, ours] as const],
  ])(
    "%s: pulled, committed and imported images, alone and together, are the same and run",
    async (label, way) => {
      const [from, to] = way();
      const file = (name: string): string => join(root, `${label.replaceAll(" ", "-")}-${name}.tar`);
      await from.ok("pull", pulled);
      const box = await from.ok("run", "-d", pulled, "sh", "-c", "echo more > /etc/more; rm /etc/motd");
      await from.ok("wait", box);
      await from.ok("commit", "-c", 'CMD ["cat", "/etc/more"]', box, "made:1");
      await from.ok("export", "-o", file("root"), box);
      await from.ok("import", "-c", 'CMD ["ls", "/etc/more"]', file("root"), "brought:1");
      await from.ok("rm", box);
      const images = [pulled, "made:1", "brought:1"];
      const said = ["hello", "more", "/etc/more"];
      const sets = [[pulled], ["made:1"], ["brought:1"], images];
      for (const names of sets) {
        await from.ok("save", "-o", file("saved"), ...names);
        expect(await to.ok("load", "-i", file("saved"))).toBe(names.map((name) => `Loaded image: ${name}`).join("\n"));
        for (const name of names) {
          expect(await identity(to, name)).toBe(await identity(from, name));
          expect(await to.ok("run", "--rm", "--network", "none", name)).toBe(said[images.indexOf(name)]);
        }
        await to.ok("rmi", ...names);
      }
      await from.ok("rmi", ...images);
    },
    120_000,
  );
});
