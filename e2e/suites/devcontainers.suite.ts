import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { giveToOrdinaryUser } from "../fixtures/ordinary-user.ts";
import type { EngineUnderTest } from "./cli.suite.ts";

const program = fileURLToPath(import.meta.resolve("@devcontainers/cli/devcontainer.js"));

interface Up {
  readonly outcome: string;
  readonly containerId: string;
  readonly remoteUser: string;
  readonly composeProjectName?: string;
}

/** The stock Dev Containers CLI, as editors drive it: a container for a folder, made, used, found again and removed. */
export function devcontainersSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    let docker: StockDocker;
    let dir = "";
    const devcontainer = async (act: string, project: string, ...args: readonly string[]): Promise<string> => {
      const folders = ["--workspace-folder", join(dir, project), "--user-data-folder", join(dir, "data"), "--docker-path", clients.docker];
      const compose = ["--docker-compose-path", join(dir, "compose")];
      const result = await docker.inside([process.execPath, program, act, ...folders, ...compose, ...args]);
      if (result.code !== 0) throw new Error(`devcontainer ${act}: exit ${result.code}: ${result.stdout}${result.stderr}`);
      return result.stdout.trim();
    };
    const up = async (project: string, ...args: readonly string[]): Promise<Up> => JSON.parse(await devcontainer("up", project, ...args)) as Up;
    const write = (path: string, text: string, mode = 0o644): void => {
      mkdirSync(join(dir, path, ".."), { recursive: true });
      writeFileSync(join(dir, path), text, { mode });
      giveToOrdinaryUser(join(dir, path), join(dir, path.split("/")[0] ?? ""));
    };

    beforeAll(async () => {
      docker = stockDocker(engine());
      dir = mkdtempSync(join(engine().folder ?? "/var/tmp", "slipway-devcontainers-"));
      giveToOrdinaryUser(dir);
      writeFileSync(join(dir, "busybox.tar"), await dockerArchive([await busybox("busybox:latest")]));
      await docker.ok("load", "-i", join(dir, "busybox.tar"));
      // Without it the CLI asks its publisher's site, and waits where there is none.
      write("data/control-manifest.json", '{"disallowedFeatures": [], "featureAdvisories": []}');
      write("compose", `#!/bin/sh\nexec ${clients.docker} compose "$@"\n`, 0o755);
    });
    afterAll(async () => {
      const made = await docker?.("ps", "-aq", "--filter", "label=devcontainer.local_folder");
      if (made !== undefined && made.stdout !== "") await docker("rm", "-fv", ...made.stdout.trim().split("\n"));
      rmSync(dir, { recursive: true, force: true });
    });

    test("a folder with a Dockerfile gets a container with its user, environment, mounts, port and commands", async () => {
      write("app/.devcontainer/Dockerfile", "FROM busybox:latest\nRUN echo built > /etc/built\n");
      write(
        "app/.devcontainer/devcontainer.json",
        JSON.stringify({
          build: { dockerfile: "Dockerfile" },
          workspaceMount: "source=${localWorkspaceFolder},target=/work,type=bind",
          workspaceFolder: "/work",
          containerEnv: { GREETING: "good day" },
          remoteEnv: { FOLDER: "${containerWorkspaceFolder}" },
          remoteUser: "user",
          updateRemoteUserUID: false,
          mounts: ["source=slipway-dev-cache,target=/cache,type=volume"],
          appPort: ["127.0.0.1:18300:80"],
          onCreateCommand: "echo on create > /tmp/steps",
          postCreateCommand: { one: "cat /etc/built >> /tmp/steps" },
          postStartCommand: "echo started >> /tmp/steps",
        }),
      );
      write("app/read.txt", "of this computer\n");
      const made = await up("app");
      expect(made).toMatchObject({ outcome: "success", remoteUser: "user" });
      const said = await devcontainer(
        "exec",
        "app",
        "sh",
        "-c",
        'id -un; pwd; echo "$GREETING $FOLDER"; cat read.txt /tmp/steps; test -d /cache && echo cached',
      );
      expect(said.split("\n")).toEqual(["user", "/work", "good day /work", "of this computer", "on create", "built", "started", "cached"]);
      expect(await docker.ok("port", made.containerId, "80")).toBe("127.0.0.1:18300");
      await docker.ok("exec", "-u", "root", made.containerId, "sh", "-c", "echo back > /work/written");
      expect(readFileSync(join(dir, "app/written"), "utf8")).toBe("back\n");
      const fails = docker.inside([
        process.execPath,
        program,
        "exec",
        "--workspace-folder",
        join(dir, "app"),
        "--docker-path",
        clients.docker,
        "sh",
        "-c",
        "exit 7",
      ]);
      expect((await fails).code).toBe(7);
    });

    test("up again takes the same container, also after it was stopped, and makes it anew when asked", async () => {
      const before = await docker.ok("ps", "-q", "--no-trunc", "--filter", `label=devcontainer.local_folder=${join(dir, "app")}`);
      expect((await up("app")).containerId).toBe(before);
      await docker.ok("stop", "-t", "1", before);
      expect((await up("app")).containerId).toBe(before);
      expect(await devcontainer("exec", "app", "sed", "-n", "$p", "/tmp/steps")).toBe("started");
      const anew = await up("app", "--remove-existing-container");
      expect(anew.containerId).not.toBe(before);
      await docker.ok("rm", "-fv", anew.containerId);
      await docker.ok("volume", "rm", "slipway-dev-cache");
      expect(await docker.ok("ps", "-aq", "--filter", "label=devcontainer.local_folder")).toBe("");
    });

    test("a service of a Compose project is the container, beside the others", async () => {
      write(
        "shop/compose.yaml",
        "services:\n  dev: {image: 'busybox:latest', command: sleep 1000, volumes: ['.:/work']}\n  db: {image: 'busybox:latest', command: httpd -f -h /www}\n",
      );
      write(
        "shop/.devcontainer/devcontainer.json",
        JSON.stringify({
          dockerComposeFile: "../compose.yaml",
          service: "dev",
          workspaceFolder: "/work",
          postCreateCommand: "wget -qO /tmp/page http://db/",
          remoteUser: "root",
        }),
      );
      const made = await up("shop");
      expect(made).toMatchObject({ outcome: "success", remoteUser: "root" });
      expect(await devcontainer("exec", "shop", "sh", "-c", "cat /tmp/page; ls compose.yaml")).toContain("hello from a container");
      const project = made.composeProjectName ?? "";
      await docker.ok("compose", "-p", project, "down", "-v", "-t", "1");
      expect(await docker.ok("ps", "-aq", "--filter", `label=com.docker.compose.project=${project}`)).toBe("");
    });
  });
}
