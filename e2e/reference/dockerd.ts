import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { delay } from "#base/deadline.ts";

/**
 * A real dockerd (Debian sid's, with the containerd image store) in a tree and a network namespace of its own: the
 * measure of right answers. Needs root, mmdebstrap and Debian's mirror the first time.
 */
export interface ReferenceDockerd extends AsyncDisposable {
  readonly socket: string;
  readonly netns: string;
}

export const tree = resolve(import.meta.dirname, "..", "out", "reference");
const packages = ["ca-certificates", "containerd", "docker.io", "iproute2", "iptables", "nftables", "procps", "runc"];

/** Makes the tree, once. */
export function ensureTree(): void {
  if (existsSync(join(tree, "usr/sbin/dockerd"))) return;
  const half = `${tree}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(resolve(tree, ".."), { recursive: true });
  execFileSync(
    "mmdebstrap",
    // A mirror may lag behind by weeks: what it has will do.
    [
      "--variant=minbase",
      '--aptopt=Acquire::Check-Valid-Until "false"',
      `--include=${packages.join(",")}`,
      '--customize-hook=printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"',
      "sid",
      half,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  renameSync(half, tree);
}

// Runs inside a fresh mount namespace: pivots into the tree, gives dockerd a pure cgroup v2, and becomes it.
const enter = `
set -e; mount --make-rprivate /; mount --bind "$TREE" "$TREE"
for m in proc dev sys tmp var/tmp; do mkdir -p "$TREE/$m"; mount --rbind "/$m" "$TREE/$m"; done
mkdir -p "$TREE/mnt/old"; cd "$TREE"; pivot_root . mnt/old; cd /; umount -l /mnt/old
mount -t tmpfs tmpfs /run; umount -l /sys/fs/cgroup 2> /dev/null || true; mount -t cgroup2 none /sys/fs/cgroup
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
exec dockerd --config-file "$RUN/daemon.json" -H "unix://$RUN/docker.sock" --data-root "$RUN/data" --exec-root /run/docker --pidfile "$RUN/dockerd.pid"
`;

/** The tree and the network namespace `name` for it; disposing removes the namespace. */
export function openReferenceNetwork(name: string): Disposable {
  ensureTree();
  using undo = new DisposableStack();
  const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
  ip("netns", "add", name);
  undo.defer(() => ip("netns", "del", name));
  ip("-n", name, "link", "set", "lo", "up");
  ip("-n", name, "link", "add", "uplink", "type", "veth", "peer", "name", "far");
  ip("-n", name, "addr", "add", "10.198.0.2/24", "dev", "uplink");
  for (const end of ["uplink", "far"]) ip("-n", name, "link", "set", end, "up");
  ip("-n", name, "route", "add", "default", "via", "10.198.0.1");
  return undo.move();
}

/** Starts dockerd with its data and its `docker.sock` in the directory `run`; SIGTERM stops it. */
export function spawnReferenceDockerd(run: string, name: string): ChildProcessByStdio<null, null, Readable> {
  writeFileSync(join(run, "daemon.json"), '{"features": {"containerd-snapshotter": true}}\n');
  return spawn("ip", ["netns", "exec", name, "unshare", "-m", "bash", "-c", enter], {
    env: { ...process.env, TREE: tree, RUN: run },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Starts it; disposing stops it and removes its data. */
export async function startReferenceDockerd(name = `slipway-ref${process.pid}`): Promise<ReferenceDockerd> {
  await using undo = new AsyncDisposableStack();
  const run = mkdtempSync("/var/tmp/slipway-dockerd-");
  undo.defer(() => rmSync(run, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  undo.use(openReferenceNetwork(name));
  const child = spawnReferenceDockerd(run, name);
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  undo.defer(async () => {
    const gone = new Promise<void>((done) => (child.exitCode !== null ? done() : child.once("exit", () => done())));
    child.kill("SIGTERM");
    await gone;
  });
  const socket = join(run, "docker.sock");
  for (let tries = 0; !existsSync(join(run, "dockerd.pid")) || !existsSync(socket); tries += 1) {
    if (tries > 600 || child.exitCode !== null) throw new Error(`dockerd did not come up: ${Buffer.concat(said).toString().slice(-2000)}`);
    await delay(100);
  }
  const owned = undo.move();
  return { socket, netns: name, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
