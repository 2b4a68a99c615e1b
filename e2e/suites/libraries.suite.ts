import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import type { EngineUnderTest } from "./cli.suite.ts";

/** What is built on the Docker API must not notice whose it is: dockerode and Compose, unchanged. */
export function librariesSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    let docker: StockDocker;
    let api: Docker;
    let dir = "";

    beforeAll(async () => {
      const { socket } = engine();
      docker = stockDocker(engine());
      api = new Docker({ socketPath: socket });
      dir = mkdtempSync("/var/tmp/slipway-libraries-");
      const loading = await api.loadImage(Readable.from([await dockerArchive([await busybox("busybox:latest")])]));
      await new Promise<void>((done, failed) => api.modem.followProgress(loading, (error) => (error === null ? done() : failed(error))));
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    test("dockerode runs a container and demultiplexes its output", async () => {
      const out = new PassThrough();
      const chunks: Buffer[] = [];
      out.on("data", (chunk: Buffer) => chunks.push(chunk));
      const [result, container] = (await api.run("busybox:latest", ["sh", "-c", "echo from dockerode; exit 4"], out)) as [
        { StatusCode: number },
        Docker.Container,
      ];
      expect(result.StatusCode).toBe(4);
      // run() answers when the process has ended; what it printed may still be on its way.
      await expect.poll(() => Buffer.concat(chunks).toString()).toContain("from dockerode");
      await container.remove();
    });

    test("dockerode execs with input, and reads events", async () => {
      const events = await api.getEvents({ filters: { event: ["die"] } });
      const seen: string[] = [];
      events.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
      const container = await api.createContainer({ Image: "busybox:latest", Cmd: ["sleep", "300"], name: "rode" });
      await container.start();
      const exec = await container.exec({ Cmd: ["cat"], AttachStdin: true, AttachStdout: true });
      const stream = await exec.start({ hijack: true, stdin: true });
      const out = new PassThrough();
      const chunks: Buffer[] = [];
      out.on("data", (chunk: Buffer) => chunks.push(chunk));
      api.modem.demuxStream(stream, out, out);
      stream.end("typed\n");
      await new Promise((ended) => stream.on("end", ended));
      expect(Buffer.concat(chunks).toString()).toBe("typed\n");
      expect((await exec.inspect()).ExitCode).toBe(0);
      await container.remove({ force: true });
      await expect.poll(() => seen.join("")).toContain('"Action":"die"');
      (events as unknown as Readable).destroy();
    });

    test("compose brings a project up, shows it, and takes it down", async () => {
      const project =
        "services:\n  web:\n    image: busybox:latest\n    command: httpd -f -p 80 -h /www\n  asker:\n    image: busybox:latest\n    depends_on: [web]\n    command: sh -c 'until wget -qO- http://web/; do sleep 0.2; done; sleep 300'\n";
      writeFileSync(join(dir, "compose.yaml"), project);
      const compose = (...args: readonly string[]): Promise<string> => docker.ok("compose", "-p", "firstlight", "-f", join(dir, "compose.yaml"), ...args);
      await compose("up", "-d");
      await expect.poll(() => compose("logs", "asker"), { timeout: 30_000 }).toContain("hello from a container");
      expect((await compose("ps", "--format", "{{.Service}} {{.State}}")).split("\n").sort()).toEqual(["asker running", "web running"]);
      await compose("down", "-t", "1");
      expect(await docker.ok("ps", "-aq", "--filter", "label=com.docker.compose.project=firstlight")).toBe("");
      expect(await docker.ok("network", "ls", "-q", "--filter", "name=firstlight")).toBe("");
    });
  });
}
