import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { foreignArch, foreignRoot } from "../fixtures/foreign.ts";

/** Images of the processor architecture that this computer does not have, run by emulation where the kernel knows how: in the guest. */
export function foreignSuite(name: string, engine: () => { readonly socket: string }): void {
  describe(name, () => {
    let docker: StockDocker;
    const platform = `linux/${foreignArch}`;
    beforeAll(async () => {
      docker = stockDocker(engine());
      const { code, stderr } = await docker.with({ input: await foreignRoot() }, "import", "--platform", platform, "-", "foreign");
      if (code !== 0) throw new Error(stderr);
    });

    test("a container of the other architecture runs", async () => {
      expect(await docker.ok("run", "--rm", "--platform", platform, "foreign", "/hello")).toBe(foreignArch);
    });

    test("who did not ask for the other architecture is told of it", async () => {
      const { code, stdout, stderr } = await docker("run", "--rm", "foreign", "/hello");
      expect([code, stdout]).toEqual([0, `${foreignArch}\n`]);
      expect(stderr).toContain(`The requested image's platform (${platform}) does not match the detected host platform (linux/`);
    });

    test("a build runs its steps on the other architecture", async () => {
      const context = mkdtempSync(join(tmpdir(), "slipway-foreign-"));
      try {
        writeFileSync(join(context, "Dockerfile"), 'FROM foreign\nRUN ["/hello"]\n');
        const { code, stderr } = await docker("buildx", "build", "--progress", "plain", "--platform", platform, "-t", "built", context);
        expect(code, stderr).toBe(0);
        expect(stderr).toMatch(new RegExp(`^#\\d+ [\\d.]+ ${foreignArch}$`, "m"));
      } finally {
        rmSync(context, { recursive: true });
      }
      expect(await docker.ok("image", "inspect", "-f", "{{.Architecture}}", "built")).toBe(foreignArch);
      expect(await docker.ok("buildx", "ls")).toContain(platform);
    });
  });
}
