import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { type Result, type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";

const run = promisify(execFile);
const patient = { timeout: 120_000, interval: 1_000 };

/** What of builds only a kernel with all controllers, or a machine of its own, can show: the guest's. */
export function buildsSuite(name: string, engine: () => { readonly socket: string }): void {
  describe(name, () => {
    let docker: StockDocker;
    let dir = "";
    const context = (dockerfile: string): string => {
      const made = mkdtempSync(join(dir, "c-"));
      writeFileSync(join(made, "Dockerfile"), dockerfile);
      return made;
    };
    const build = (kit: 0 | 1, ...args: readonly string[]): Promise<Result> =>
      docker.inside(["env", `DOCKER_BUILDKIT=${kit}`, clients.docker, "build", ...args]);
    const onMachine = (script: string): Promise<string> =>
      docker.ok("run", "--rm", "--privileged", "--pid", "host", "--network", "none", "busybox", "sh", "-c", script);
    const addressOf = (container: string): Promise<string> => docker.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", container);

    beforeAll(async () => {
      docker = stockDocker(engine());
      dir = mkdtempSync("/var/tmp/slipway-builds-");
      await docker.with({ input: await dockerArchive([await busybox("busybox:latest")]) }, "load");
    });
    afterAll(async () => {
      await docker?.("rm", "-f", "repositories", "silent");
      rmSync(dir, { recursive: true, force: true });
    });

    const groups = "cd /sys/fs/cgroup; echo $(cat memory.max) $(cat memory.swap.max) $(cat cpu.max) $(cat cpu.weight) $(cat cpuset.cpus)";
    const limits = `FROM busybox\nRUN (${groups}; ulimit -n; df -k /dev/shm | awk 'NR==2 {print $2}') > /limits\n`;
    const flags = ["-m", "64m", "--memory-swap", "96m", "--cpu-quota", "50000", "--cpu-period", "100000", "--cpu-shares", "512", "--cpuset-cpus", "0"];

    test("the classic builder's steps have the limits of its flags, and end at them", async () => {
      const built = await build(0, ...flags, "--ulimit", "nofile=100:200", "--shm-size", "32m", "-t", "limited:1", context(limits));
      expect(built.code, built.stderr).toBe(0);
      const [group, files, shm] = (await docker.ok("run", "--rm", "limited:1", "cat", "/limits")).split("\n");
      expect([group, files, shm]).toEqual([`${64 * 2 ** 20} ${32 * 2 ** 20} 50000 100000 59 0`, "100", String(32 * 2 ** 10)]);
      const hungry = await build(0, "-m", "32m", "--memory-swap", "32m", context("FROM busybox\nRUN exec tail /dev/zero\n"));
      expect(hungry.code).not.toBe(0);
      expect(hungry.stderr).toContain("returned a non-zero code: 137");
    });

    test("BuildKit's clients may say them, and nothing comes of it", async () => {
      const built = await build(1, "-m", "64m", "--cpu-quota", "50000", "--shm-size", "32m", "-t", "limited:2", context(limits));
      expect(built.code, built.stderr).toBe(0);
      const [group, , shm] = (await docker.ok("run", "--rm", "limited:2", "cat", "/limits")).split("\n");
      expect([group?.split(" ")[0], shm]).toEqual(["max", String(32 * 2 ** 10)]);
    });

    test("a repository is a context in the machine, too", async () => {
      const work = context("FROM busybox\nCOPY . /r\n");
      const git = (...args: readonly string[]): Promise<unknown> =>
        run("git", ["-c", "user.name=n", "-c", "user.email=n@x", ...args], { cwd: work, env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } });
      writeFileSync(join(work, "f"), "from a repository\n");
      await git("init", "-q", "-b", "main");
      await git("add", "-A");
      await git("commit", "-qm", "one");
      mkdirSync(join(dir, "www"));
      await git("clone", "-q", "--bare", work, join(dir, "www/r.git"));
      await git("--git-dir", join(dir, "www/r.git"), "update-server-info");
      await docker.ok("run", "-d", "--name", "repositories", "busybox", "httpd", "-f", "-h", "/www");
      await docker.ok("cp", join(dir, "www/r.git"), "repositories:/www/");
      const built = await build(1, "-t", "repository:1", `http://${await addressOf("repositories")}/r.git`);
      expect(built.code, built.stderr).toBe(0);
      expect(await docker.ok("run", "--rm", "repository:1", "cat", "/r/f")).toBe("from a repository");
    });

    test("git runs there as nobody, without rights, in a root of its own, and ends with its client", async () => {
      // Takes the call and never answers.
      await docker.ok("run", "-d", "--name", "silent", "busybox", "nc", "-ll", "-p", "9418", "-e", "sleep", "100000");
      const seen = (what: string): Promise<string> =>
        onMachine(`for p in /proc/[0-9]*; do case "$(tr '\\0' ' ' < $p/cmdline 2>/dev/null)" in git\\ ls-remote*) ${what};; esac; done`);
      const client = new AbortController();
      const address = `git://${await addressOf("silent")}/r.git`;
      const building = docker.with({ signal: client.signal }, "buildx", "build", address).catch(() => undefined);
      const status = "grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' $p/status";
      await expect.poll(() => seen(status), patient).toBe("Uid:\t65532\t65532\t65532\t65532\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2");
      expect(await seen("ls $p/root | tr '\\n' ' '; ls -A $p/root/usr/lib/slipway | wc -l")).toBe("bin dev etc lib lib64 proc run sys tmp usr work 0");
      client.abort();
      await building;
      await expect.poll(() => seen("echo still there"), patient).toBe("");
    });
  });
}
