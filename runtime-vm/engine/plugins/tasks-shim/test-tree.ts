import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync, copyFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { once } from "node:events";
import { killCgroup, readPids, removeCgroup } from "./cgroup.ts";

/**
 * For tests that run the real shim and crun: a mount namespace whose root is the tool tree, read-only as in the VM and behind the native
 * launcher (else crun copies itself into memory at each start), and whose /sys/fs/cgroup is a pure cgroup v2 (crun refuses a
 * hybrid), kept by a sleeping process. Node stays outside; the scratch directory and /run/containerd
 * (where the shim puts its sockets) have the same paths on both sides.
 */
export interface TestTree extends AsyncDisposable {
  /** Scratch directory, seen at the same path inside. */
  readonly dir: string;
  /** Wrapper scripts that run the tree's programs inside the namespace. */
  readonly shim: string;
  readonly crun: string;
  readonly busybox: string;
  /** A parent of this tree's own for cgroups, `/slipway-test-...`. */
  readonly cgroup: string;
  /** The same cgroup v2 hierarchy, as Node sees it. */
  readonly cgroupRoot: string;
  /** A fresh root directory holding a busybox with all its applets. */
  rootfs(name: string): string;
}

const repository = new URL("../../../../", import.meta.url).pathname;

/** The tool tree `npm run image` builds, or the one SLIPWAY_TEST_TREE names; undefined when there is none. */
export function findTree(): string | undefined {
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const places = [process.env["SLIPWAY_TEST_TREE"], join(repository, `runtime-vm/image/out/${arch}/rootfs`)];
  return places.find((place) => place !== undefined && existsSync(join(place, "usr/bin/crun")));
}

const enter = `set -e
mount --make-rprivate /
mount --bind "$TREE" "$TREE"
mount -t tmpfs tmpfs "$TREE/run"; mount -t tmpfs tmpfs "$TREE/tmp"
for d in proc dev sys; do mount --rbind /$d "$TREE/$d"; done
umount -l "$TREE/sys/fs/cgroup"; mount -t cgroup2 none "$TREE/sys/fs/cgroup"
mkdir -p "$TREE$DIR" "$TREE/run/containerd" "$TREE/tmp/old"
mount --bind "$DIR" "$TREE$DIR"; mount --bind /run/containerd "$TREE/run/containerd"
cd "$TREE"; pivot_root . tmp/old; cd /; umount -l /tmp/old
mount -o remount,bind,ro /
echo ready; exec sleep infinity`;

export async function openTestTree(): Promise<TestTree> {
  const tree = findTree();
  if (!tree) throw new Error("no tool tree: run `npm run image`, or name one by SLIPWAY_TEST_TREE");
  const dir = mkdtempSync(join(tmpdir(), "slipway-test-"));
  mkdirSync("/run/containerd", { recursive: true });
  const holder = spawn("unshare", ["-m", "sh", "-c", enter], {
    env: { ...process.env, TREE: tree, DIR: dir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await Promise.race([once(holder.stdout, "data"), once(holder, "exit").then(() => Promise.reject(new Error("the test namespace did not come up")))]);
  const wrapper = (program: string): string => {
    const path = join(dir, `in-tree-${program.split("/").at(-1)}`);
    const inside = `cd "$0" && exec ${program} "$@"`;
    writeFileSync(path, `#!/bin/sh\nexec nsenter -t ${holder.pid} -m sh -c '${inside}' "$PWD" "$@"\n`, { mode: 0o755 });
    return path;
  };
  const cgroup = `/${basename(dir)}`;
  const cgroupRoot = existsSync("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
  return {
    dir,
    cgroup,
    cgroupRoot,
    shim: wrapper("/usr/bin/containerd-shim-runc-v2"),
    crun: wrapper("/usr/bin/crun"),
    busybox: join(tree, "usr/bin/busybox"),
    rootfs: (name) => makeRootfs(join(dir, name), join(tree, "usr/bin/busybox")),
    [Symbol.asyncDispose]: async () => {
      // What a failed test left: containers are in the cgroup, shims and holders name the directory.
      for (const line of processesNaming(dir)) process.kill(Number(line.split(" ")[0]), "SIGKILL");
      killCgroup(join(cgroupRoot, cgroup));
      const gone = once(holder, "exit");
      holder.kill("SIGKILL");
      await gone;
      while (readPids(join(cgroupRoot, cgroup)).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      removeCgroup(join(cgroupRoot, cgroup));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function makeRootfs(root: string, busybox: string): string {
  for (const name of ["bin", "dev", "proc", "sys", "etc", "tmp", "root", "run"]) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(busybox, join(root, "bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n")) {
    if (applet && applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
  }
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nuser:x:1000:\nstaff:x:50:user\n");
  return root;
}

/** Command lines of the living processes that hold `needle`, this one left out. */
export function processesNaming(needle: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (line.includes(needle)) found.push(`${pid} ${line}`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
