import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import type { EngineUnderTest } from "./cli.suite.ts";

/** Testcontainers for Node. Its reaper image is not at hand, so it is off. */
export function testcontainersSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    let docker: StockDocker;
    let dir = "";
    beforeAll(async () => {
      docker = stockDocker(engine());
      dir = mkdtempSync("/var/tmp/slipway-testcontainers-");
      writeFileSync(join(dir, "busybox.tar"), await dockerArchive([await busybox("busybox:latest")]));
      await docker.ok("load", "-i", join(dir, "busybox.tar"));
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    test("starts two containers on a network of theirs, waits for them, talks to them, and leaves nothing", async () => {
      // Where the tests themselves run in a container it would look for ports on the bridge's gateway.
      const settings = ["TESTCONTAINERS_RYUK_DISABLED=true", "TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1"];
      const result = await docker.inside(["env", ...settings, process.execPath, join(import.meta.dirname, "testcontainers.program.ts")]);
      expect({ ...result, stdout: undefined }).toEqual({ code: 0, stderr: "", stdout: undefined });
      expect(JSON.parse(result.stdout)).toMatchObject({ page: "<h1>hello from a container</h1>\n", inside: [3, "good day\nfirst row\n"], again: 200 });
      for (const list of [
        ["ps", "-aq"],
        ["network", "ls", "-q"],
      ])
        expect(await docker.ok(...list, "--filter", "label=org.testcontainers=true")).toBe("");
    });
  });
}
