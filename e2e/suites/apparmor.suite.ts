import { beforeAll, describe, expect, test } from "vitest";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";

/** Containers under a kernel that has AppArmor: the guest's. */
export function apparmorSuite(name: string, engine: () => { readonly socket: string }): void {
  describe(name, () => {
    let docker: StockDocker;
    const profile = "cat /proc/1/attr/current";

    beforeAll(async () => {
      docker = stockDocker(engine());
      await docker.with({ input: await dockerArchive([await busybox("busybox:latest")]) }, "load");
    });

    test("the engine says so", async () => {
      expect(await docker.ok("info", "-f", "{{.SecurityOptions}}")).toContain("name=apparmor");
    });

    test("a container and what is executed in it run under docker-default, and are stopped like any other", async () => {
      await docker.ok("run", "-d", "--name", "confined", "busybox", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done");
      expect(await docker.ok("inspect", "-f", "{{.AppArmorProfile}}", "confined")).toBe("docker-default");
      expect(
        await docker.ok("exec", "confined", "sh", "-c", `${profile}; cat /proc/self/attr/current; kill -0 1 && ps | grep -q "[t]rap 'exit" && echo seen`),
      ).toBe("docker-default (enforce)\ndocker-default (enforce)\nseen");
      expect(await docker.ok("exec", "--privileged", "confined", "cat", "/proc/self/attr/current")).toBe("docker-default (enforce)");
      await docker.ok("stop", "-t", "60", "confined");
      expect(await docker.ok("inspect", "-f", "{{.State.ExitCode}}", "confined")).toBe("7");
      await docker.ok("rm", "confined");
    });

    test("root with all capabilities can neither mount nor write to what /proc and /sys show of the machine", async () => {
      const open = ["--cap-add", "ALL", "--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"];
      const deeds = ["mount -t tmpfs none /tmp", "echo 1 > /proc/sys/vm/drop_caches", "echo h > /proc/sysrq-trigger", "cat /proc/kcore"];
      const script = deeds.map((deed) => `(${deed}) > /dev/null 2>&1 && echo done || echo refused`).join("; ");
      expect(await docker.ok("run", "--rm", ...open, "busybox", "sh", "-c", script)).toBe(deeds.map(() => "refused").join("\n"));
      // It is the profile that refuses, not something else.
      const bare = [...open, "--security-opt", "apparmor=unconfined"];
      expect(await docker.ok("run", "--rm", ...bare, "busybox", "sh", "-c", "mount -t tmpfs none /tmp && echo mounted")).toBe("mounted");
    });

    test.for([
      ["--privileged", "unconfined"],
      ["--security-opt=apparmor=unconfined", "unconfined"],
      ["--security-opt=apparmor=docker-default", "docker-default (enforce)"],
    ] as const)("%s gives %s", async ([option, shown]) => {
      await docker.ok("run", "--name", "asked", option, "busybox", "sh", "-c", profile);
      expect(await docker.ok("logs", "asked")).toBe(shown);
      expect(await docker.ok("inspect", "-f", "{{.AppArmorProfile}}", "asked")).toBe(shown.split(" ")[0]);
      await docker.ok("rm", "asked");
    });

    test("a profile that is not loaded keeps the container from starting", async () => {
      const refused = await docker("run", "--name", "unknown", "--security-opt", "apparmor=nowhere", "busybox", "true");
      expect(refused.stderr).toContain("apparmor");
      expect(await docker.ok("inspect", "-f", "{{.State.Status}} {{.AppArmorProfile}}", "unknown")).toBe("created nowhere");
      expect(refused.code).not.toBe(0);
      await docker.ok("rm", "unknown");
    });
  });
}
