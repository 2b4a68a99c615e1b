import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { startRegistry } from "../fixtures/registry.ts";

export interface EngineUnderTest {
  readonly socket: string;
  /** Where published ports and a loopback registry are reachable. */
  readonly netns?: string;
  /** Whether 127.0.0.1 of the tests is 127.0.0.1 of the engine (false for a VM: it cannot pull from there). */
  readonly sharesLoopback: boolean;
  /** A folder whose content containers may mount; any of this machine when absent. */
  readonly folder?: string;
}

/** What a person types on the first day, with the stock docker CLI against any engine of ours. */
export function cliSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    let docker: StockDocker;
    let dir = "";

    beforeAll(async () => {
      docker = stockDocker(engine());
      dir = mkdtempSync("/var/tmp/slipway-cli-");
      writeFileSync(join(dir, "busybox.tar"), await dockerArchive([await busybox("busybox:latest")]));
      await docker.ok("load", "-i", join(dir, "busybox.tar"));
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    test("docker version and info name API 1.51 and the containerd image store", async () => {
      expect(await docker.ok("version", "--format", "{{.Server.APIVersion}} {{.Server.MinAPIVersion}}")).toBe("1.51 1.24");
      expect(await docker.ok("info", "--format", "{{json .DriverStatus}}")).toContain("io.containerd.snapshotter.v1");
    });

    test("run --rm prints what the program prints, and leaves no container", async () => {
      expect(await docker.ok("run", "--rm", "--name", "once", "busybox", "echo", "hello")).toBe("hello");
      expect(await docker.ok("ps", "-aq", "--filter", "name=once")).toBe("");
    });

    test("exit codes come through: 0, 7, 126, 127, 143", async () => {
      expect((await docker("run", "--rm", "busybox", "true")).code).toBe(0);
      expect((await docker("run", "--rm", "busybox", "sh", "-c", "exit 7")).code).toBe(7);
      expect((await docker("run", "--rm", "busybox", "/etc/passwd")).code).toBe(126);
      expect((await docker("run", "--rm", "busybox", "no-such-program")).code).toBe(127);
      expect((await docker("run", "--rm", "busybox", "sh", "-c", "sh -c 'kill -TERM $$'; exit $?")).code).toBe(143);
    });

    test("standard input reaches the program, and its end ends it", async () => {
      const result = await docker.with({ input: "one\ntwo\n" }, "run", "-i", "--rm", "busybox", "cat");
      expect(result).toMatchObject({ code: 0, stdout: "one\ntwo\n" });
    });

    test("standard output and standard error stay apart", async () => {
      const result = await docker("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2");
      expect(result).toMatchObject({ code: 0, stdout: "out\n", stderr: "err\n" });
    });

    test("exec -it has a real terminal", async () => {
      await docker.ok("run", "-d", "--name", "tty", "busybox", "sleep", "300");
      const result = await docker.with({ tty: true }, "exec", "-it", "tty", "sh", "-c", "test -t 0 && test -t 1 && echo $((6*7))");
      expect(result.stdout).toContain("42");
      expect(result.code).toBe(0);
      expect((await docker("exec", "tty", "sh", "-c", "exit 9")).code).toBe(9);
      await docker.ok("rm", "-f", "tty");
    });

    test("logs: all, tail, and -f until the program ends", async () => {
      await docker.ok("run", "-d", "--name", "talker", "busybox", "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.3; done");
      expect((await docker.ok("logs", "-f", "talker")).split("\n")).toEqual(["line 1", "line 2", "line 3", "line 4", "line 5"]);
      expect(await docker.ok("logs", "--tail", "2", "talker")).toBe("line 4\nline 5");
      expect(await docker.ok("logs", "-t", "--tail", "1", "talker")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z line 5$/);
      await docker.ok("rm", "talker");
    });

    test("stop ends by the stop signal, stats and top answer while it runs, inspect tells the truth", async () => {
      await docker.ok("run", "-d", "--name", "server", "-l", "a=b", "busybox", "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done");
      expect(await docker.ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "server")).toMatch(/^server \d+$/);
      expect(await docker.ok("top", "server")).toContain("trap");
      expect(await docker.ok("inspect", "-f", '{{.State.Status}} {{index .Config.Labels "a"}}', "server")).toBe("running b");
      await docker.ok("stop", "server");
      expect(await docker.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "server")).toBe("exited 3");
      await docker.ok("rm", "server");
    });

    test("a published port answers", async () => {
      await docker.ok("run", "-d", "--name", "web", "-p", "127.0.0.1:18080:80", "busybox", "httpd", "-f", "-p", "80", "-h", "/www");
      const page = await docker.inside([
        "curl",
        "-sS",
        "--retry",
        "20",
        "--retry-connrefused",
        "--retry-delay",
        "1",
        "--max-time",
        "60",
        "http://127.0.0.1:18080/",
      ]);
      expect(page.stdout).toContain("hello from a container");
      expect(await docker.ok("port", "web", "80")).toBe("127.0.0.1:18080");
      const second = await docker("run", "-d", "--name", "web2", "-p", "127.0.0.1:18080:80", "busybox", "sleep", "5");
      expect(second.code).toBe(125);
      expect(second.stderr).toMatch(/address already in use|port is already allocated/);
      // Ports of a container that runs: through the VM as well.
      const client = new EngineClient({ kind: "socket", path: engine().socket });
      const binding = [{ HostIp: "127.0.0.1", HostPort: "18081" }];
      const change = (json: object) => client.json<{ Ports: unknown }>("POST", "/slipway/containers/web/ports", { json });
      expect((await change({ Add: { "80/tcp": binding } })).Ports).toEqual({ "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "18080" }, ...binding] });
      const fetched = (port: number) => docker.inside(["curl", "-sS", "--max-time", "60", `http://127.0.0.1:${port}/`]);
      expect((await fetched(18_081)).stdout).toContain("hello from a container");
      await change({ Remove: { "80/tcp": binding } });
      expect((await fetched(18_081)).code).not.toBe(0);
      expect((await fetched(18_080)).stdout).toContain("hello from a container");
      expect(await docker.ok("port", "web", "80")).toBe("127.0.0.1:18080");
      await docker.ok("rm", "-f", "web", "web2");
    });

    test("a named volume keeps what a container wrote; a network gives names", async () => {
      await docker.ok("volume", "create", "kept");
      await docker.ok("run", "--rm", "-v", "kept:/data", "busybox", "sh", "-c", "echo saved > /data/file");
      expect(await docker.ok("run", "--rm", "-v", "kept:/data:ro", "busybox", "cat", "/data/file")).toBe("saved");
      await docker.ok("network", "create", "lan");
      await docker.ok("run", "-d", "--name", "peer", "--network", "lan", "busybox", "httpd", "-f", "-p", "80", "-h", "/www");
      expect(await docker.ok("run", "--rm", "--network", "lan", "busybox", "wget", "-qO-", "http://peer/")).toContain("hello from a container");
      expect((await docker("network", "rm", "lan")).code).not.toBe(0);
      await docker.ok("rm", "-f", "peer");
      await docker.ok("network", "rm", "lan");
      await docker.ok("volume", "rm", "kept");
    });

    test("bad input gets Docker's words and codes", async () => {
      expect((await docker("inspect", "nobody")).stderr).toMatch(/no such object: nobody/i);
      expect((await docker("start", "nobody")).stderr).toContain("No such container: nobody");
      expect((await docker("run", "--rm", "--name", "-bad-", "busybox", "true")).stderr).toContain("Invalid container name");
      expect((await docker("create", "--pull", "never", "no-such-image:x")).code).not.toBe(0);
      expect((await docker("run", "--rm", "Bad:Ref", "true")).stderr).toContain("must be lowercase");
    });

    test("pull from a registry shows progress and verifies", async (context) => {
      const { netns, sharesLoopback } = engine();
      if (!sharesLoopback) context.skip("the engine has a loopback of its own");
      await using registry = await startRegistry({ dir: join(dir, "registry"), port: 15000, ...(netns === undefined ? {} : { netns }) });
      await registry.push("team/app", "v1", await busybox("app:v1", { Labels: { made: "here" } }));
      const out = await docker.ok("pull", `${registry.address}/team/app:v1`);
      expect(out).toContain(`Status: Downloaded newer image for ${registry.address}/team/app:v1`);
      expect(await docker.ok("run", "--rm", `${registry.address}/team/app:v1`, "echo", "pulled")).toBe("pulled");
      expect((await docker("pull", `${registry.address}/team/none:v1`)).code).not.toBe(0);
      await docker.ok("rmi", `${registry.address}/team/app:v1`);
    });
  });
}
