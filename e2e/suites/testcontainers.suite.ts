import { describe, expect, test } from "vitest";
import type { EngineUnderTest } from "./cli.suite.ts";

/** Testcontainers for Node against an engine whose published ports are on this machine. Its reaper image is not at hand, so it is off. */
export function testcontainersSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    test("starts a container, waits for its port, and talks to it", async () => {
      process.env["DOCKER_HOST"] = `unix://${engine().socket}`;
      process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
      // Where the tests themselves run in a container it would look for ports on the bridge's gateway.
      process.env["TESTCONTAINERS_HOST_OVERRIDE"] = "127.0.0.1";
      const { GenericContainer, Wait } = await import("testcontainers");
      const started = await new GenericContainer("busybox:latest")
        .withCommand(["httpd", "-f", "-p", "80", "-h", "/www"])
        .withExposedPorts(80)
        .withWaitStrategy(Wait.forListeningPorts())
        .withStartupTimeout(120_000)
        .start();
      try {
        const page = await fetch(`http://${started.getHost()}:${started.getMappedPort(80)}/`);
        expect(await page.text()).toContain("hello from a container");
        expect((await started.exec(["echo", "inside"])).output).toContain("inside");
      } finally {
        await started.stop();
      }
    });
  });
}
