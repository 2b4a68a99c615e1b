/** What steps share with each other, and what they see of anything else. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { clients } from "../fixtures/clients.mjs";
import { stockDocker } from "../fixtures/docker.ts";
import { tarOf } from "../fixtures/image.ts";
import { startEngine } from "../fixtures/program.ts";
import { type BuildRig, openBuildRig } from "./build.rig.ts";

let rig: BuildRig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openBuildRig("steps");
  client = new EngineClient({ kind: "socket", path: join(rig.root, "docker.sock") });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const cat = (image: string, ...paths: readonly string[]): Promise<string> => rig.docker.ok("run", "--rm", image, "cat", ...paths);
/** The cache mount that has a file of this name. */
const mountWith = (name: string): string | undefined => {
  const mounts = join(rig.root, "builds/mounts");
  const found = readdirSync(mounts).find((one) => readdirSync(join(mounts, one)).includes(name));
  return found === undefined ? undefined : join(mounts, found);
};

test("two builds that need the same step at the same time do it once", async () => {
  const step =
    "RUN --mount=type=cache,target=/c,id=once echo ran >> /c/ran; n=0; until [ -e /c/go ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done; head -c 8 /dev/urandom | od -An -tx1 > /made";
  const dockerfile = `FROM busybox\n${step}\n`;
  const first = rig.build({ Dockerfile: dockerfile }, "--provenance=false", "-t", "once:1");
  await expect.poll(() => mountWith("ran"), { timeout: 60_000 }).toBeDefined();
  // Its step is announced, and waits for the one that runs.
  const history = async (): Promise<number> =>
    (await client.json<{ state: string }[]>("GET", "/slipway/builds")).filter(({ state }) => state === "running").length;
  const second = rig.build({ Dockerfile: dockerfile, other: "context" }, "--provenance=false", "-t", "once:2");
  await expect.poll(history, { timeout: 60_000 }).toBe(2);
  const mount = mountWith("ran") ?? "";
  writeFileSync(join(mount, "go"), "");
  const [, waited] = await Promise.all([first, second]);
  expect(waited.stderr).toMatch(/#\d+ CACHED/);
  expect(await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", "once:1")).toBe(await rig.docker.ok("image", "inspect", "-f", "{{.Id}}", "once:2"));
  await rig.build({ Dockerfile: "FROM busybox\nRUN --mount=type=cache,target=/c,id=once cp /c/ran /ran\n" }, "-t", "once:3");
  expect(await cat("once:3", "/ran")).toBe("ran");
});

/** Two stages side by side; each does its part once both are there, and leaves `/seen`. */
function pair(mounts: string, part: string): string {
  const meet = (own: string, other: string): string =>
    `touch /meet/${own}; n=0; until [ -e /meet/${other} ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done`;
  const stage = (own: string, other: string): string =>
    `FROM busybox AS ${own}\nRUN --mount=type=cache,target=/meet,id=${mounts.replaceAll(/\W/g, "")} ${mounts} touch /c/${own}; ${meet(own, other)}; ${part}\n`;
  return `${stage("a", "b")}${stage("b", "a")}FROM busybox\nCOPY --from=a /seen /a\nCOPY --from=b /seen /b\n`;
}

test("a shared cache mount is one directory for steps that run at the same time, a private one is for each", async () => {
  const mount = (sharing: string): string => `--mount=type=cache,target=/c,id=two-${sharing},sharing=${sharing}`;
  await rig.build({ Dockerfile: pair(mount("shared"), "ls /c > /seen") }, "-t", "sharing:shared");
  expect((await cat("sharing:shared", "/a", "/b")).split("\n")).toEqual(["a", "b", "a", "b"]);
  await rig.build({ Dockerfile: pair(mount("private"), "ls /c > /seen") }, "-t", "sharing:private");
  expect((await cat("sharing:private", "/a", "/b")).split("\n")).toEqual(["a", "b"]);
});

test("a locked cache mount has one step at a time", async () => {
  const step = "RUN --mount=type=cache,target=/c,id=locked,sharing=locked mkdir /c/inside && sleep 0.3 && rmdir /c/inside && echo in >> /c/log";
  const stages = ["a", "b", "c", "d"].map((name) => `FROM busybox AS ${name}\nENV NAME=${name}\n${step} && touch /of-${name}\n`);
  const copies = ["a", "b", "c", "d"].map((name) => `COPY --from=${name} /of-${name} /\n`);
  const last = "RUN --mount=type=cache,target=/c,id=locked,sharing=locked cp /c/log /log\n";
  await rig.build({ Dockerfile: `${stages.join("")}FROM busybox\n${copies.join("")}${last}` }, "-t", "locked");
  expect(await cat("locked", "/log")).toBe("in\nin\nin\nin");
  // The same without the lock: they do meet, or the test above would say nothing.
  const unlocked = `${stages.join("")}FROM busybox\n${copies.join("")}`.replaceAll(",sharing=locked", "").replaceAll("id=locked", "id=unlocked");
  const met = await rig.docker("buildx", "build", rig.context({ Dockerfile: unlocked }));
  expect(met.stderr).toContain("can't create directory '/c/inside': File exists");
});

test("a cache mount stays while a step uses it, whatever is pruned", async () => {
  const step = "touch /c/used; n=0; until [ -e /c/end ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done; ls /c > /seen";
  const running = rig.build({ Dockerfile: `FROM busybox\nRUN --mount=type=cache,target=/c,id=in-use ${step}\n` }, "-t", "in-use");
  await expect.poll(() => mountWith("used"), { timeout: 60_000 }).toBeDefined();
  await rig.docker.ok("builder", "prune", "-af");
  writeFileSync(join(mountWith("used") ?? "/gone", "end"), "");
  await running;
  expect(await cat("in-use", "/seen")).toBe("end\nused");
  await rig.docker.ok("builder", "prune", "-af");
  expect(mountWith("used")).toBeUndefined();
});

test("steps that lock the same mounts in another order do not wait for each other for ever, nor for themselves", async () => {
  const mount = (target: string, id: string): string => `--mount=type=cache,sharing=locked,target=/${target},id=order-${id}`;
  const stage = (name: string, ...ids: readonly string[]): string =>
    `FROM busybox AS ${name}\nRUN ${ids.map((id, i) => mount(`m${i}`, id)).join(" ")} sleep 0.2; touch /of-${name}\n`;
  const stages = `${stage("a", "1", "2")}${stage("b", "2", "1")}${stage("c", "1", "1")}`;
  await rig.build({ Dockerfile: `${stages}FROM busybox\nCOPY --from=a /of-a /\nCOPY --from=b /of-b /\nCOPY --from=c /of-c /\n` }, "-t", "order");
  expect(await rig.docker.ok("run", "--rm", "order", "sh", "-c", "ls /of-*")).toBe("/of-a\n/of-b\n/of-c");
});

test("a client that leaves while its build waits for another's step leaves alone", async () => {
  const dockerfile =
    "FROM busybox\nRUN --mount=type=cache,target=/c,id=leave touch /c/began; n=0; until [ -e /c/go ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done\n";
  const running = rig.build({ Dockerfile: dockerfile }, "-t", "stays");
  await expect.poll(() => mountWith("began"), { timeout: 60_000 }).toBeDefined();
  const leaving = new AbortController();
  const left = rig.docker.with({ signal: leaving.signal }, "buildx", "build", "-t", "leaves", rig.context({ Dockerfile: dockerfile })).catch(() => undefined);
  const states = async (): Promise<string[]> =>
    (await client.json<{ state: string }[]>("GET", "/slipway/builds"))
      .slice(0, 2)
      .map(({ state }) => state)
      .toSorted();
  await expect.poll(states, { timeout: 60_000 }).toEqual(["running", "running"]);
  leaving.abort();
  await left;
  await expect.poll(states, { timeout: 30_000 }).toEqual(["cancelled", "running"]);
  writeFileSync(join(mountWith("began") ?? "", "go"), "");
  await running;
  expect(await rig.docker.ok("images", "-q", "leaves")).toBe("");
});

test("a secret is in no layer, no cache, no history and no log, whatever the step does but write it down", async () => {
  const secret = `hush-${process.pid}-hush`;
  writeFileSync(join(rig.dir, "secret"), secret);
  const dockerfile = [
    "FROM busybox AS work",
    "RUN --mount=type=secret,id=s --mount=type=secret,id=s,env=WORD --mount=type=cache,target=/c test $WORD = $(cat /run/secrets/s) && wc -c < /run/secrets/s > /length",
    "FROM busybox",
    "COPY --from=work /length /",
  ].join("\n");
  const args = ["--secret", `id=s,src=${join(rig.dir, "secret")}`, "--provenance=mode=max", "-t", "secret"];
  const { stdout, stderr } = await rig.build({ Dockerfile: dockerfile }, ...args);
  expect(await cat("secret", "/length")).toBe(String(secret.length));
  expect(stdout + stderr).not.toContain(secret);
  // All that the engine has: layers, blobs, cache mounts, its database with the history, its log.
  const written = async (text: string): Promise<string> => (await rig.docker.inside(["grep", "-rlF", "--devices=skip", text, rig.root])).stdout.trim();
  expect(await written(secret)).toBe("");
  expect(await written("WORD = $(cat /run/secrets/s)")).not.toBe("");
});

/** What a process sees of what is around it. */
const look = [
  "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status",
  "ls /proc | grep -c '^[0-9]' | sed 's/^[1-9]$/few/'",
  "find /dev -mindepth 1 | sed 's/console//' | sort -u | grep -v '^/dev/$' | tr '\\n' ' '",
  "ls -d /host /var/lib/slipway /run/slipway /usr/lib/slipway /run/docker.sock /var/run/docker.sock /run/containerd 2>/dev/null || echo none of it",
  "for f in /proc/sysrq-trigger /proc/sys/kernel/hostname /sys/fs/cgroup/cgroup.procs /proc/kcore; do (echo x > $f) 2>&1 | sed 's/.*: //'; done",
  "mount -t tmpfs none /mnt 2>&1 | sed 's/.*: //'; mknod /tmp/disk b 253 0 && cat /tmp/disk 2>&1 | sed 's/.*: //'",
  "grep -c . /proc/keys 2>/dev/null; ls /sys/firmware | wc -l",
  "cat /proc/net/unix | grep -c docker",
].join("; ");

test("a step is in the same sandbox as a container, and sees neither the host nor the engine", async () => {
  await rig.build({ Dockerfile: `FROM busybox\nRUN sh -c '${look.replaceAll("'", "'\\''")}' > /tmp/seen 2>&1; true\n` }, "--no-cache", "-t", "seen");
  const step = await cat("seen", "/tmp/seen");
  const container = await rig.docker.with({}, "run", "--rm", "busybox", "sh", "-c", `(${look}) > /tmp/seen 2>&1; cat /tmp/seen`);
  expect(step).toBe(container.stdout.trim());
  expect(step).toContain("CapEff:\t00000000a80425fb");
  expect(step).toContain("Seccomp:\t2");
  expect(step).toContain("none of it");
  expect(step).toContain("few");
});

/** `POST /build?remote=`: the classic client fetches for itself, so the daemon's own door is asked. */
async function classic(remote: string): Promise<string> {
  const { body } = await client.stream("POST", "/build", { query: { remote, t: "remote:classic" } });
  return Buffer.concat(await body.toArray()).toString();
}

test("an archive or a Dockerfile at an address is a context, for both builders", async () => {
  const www = rig.context({});
  const tar = await tarOf([
    { name: "Dockerfile", data: "FROM busybox\nCOPY f /f\n" },
    { name: "f", data: "from afar\n" },
    { name: "other.Dockerfile", data: "FROM busybox\nRUN echo other > /f\n" },
  ]);
  writeFileSync(join(www, "context.tar"), tar);
  await rig.docker.inside(["gzip", "-k", join(www, "context.tar")]);
  writeFileSync(join(www, "Dockerfile"), "FROM busybox\nRUN echo alone > /f\n");
  const serving = new AbortController();
  const server = rig.docker.inside(["busybox", "httpd", "-f", "-p", "127.0.0.1:8710", "-h", www], { signal: serving.signal }).catch(() => undefined);
  onTestFinished(async () => {
    serving.abort();
    await server;
  });
  const at = (name: string): string => `http://127.0.0.1:8710/${name}`;
  await expect.poll(async () => (await rig.docker.inside(["curl", "-sf", at("Dockerfile")])).code, { timeout: 30_000 }).toBe(0);
  for (const [name, args, content] of [
    ["context.tar", [], "from afar"],
    ["context.tar.gz", [], "from afar"],
    ["context.tar.gz", ["-f", "other.Dockerfile"], "other"],
    ["Dockerfile", [], "alone"],
  ] as const) {
    const built = await rig.docker("buildx", "build", "-t", "remote:buildkit", ...args, at(name));
    expect(built.code, `${name}: ${built.stderr}`).toBe(0);
    expect(await cat("remote:buildkit", "/f")).toBe(content);
  }
  for (const [name, content] of [
    ["context.tar", "from afar"],
    ["context.tar.gz", "from afar"],
    ["Dockerfile", "alone"],
  ] as const) {
    expect(await classic(at(name))).toContain("Successfully tagged remote:classic");
    expect(await cat("remote:classic", "/f")).toBe(content);
  }
  expect((await rig.docker("buildx", "build", at("nowhere"))).stderr).toContain("404");
  await expect(classic(at("nowhere"))).rejects.toThrow(/404/);
});

test("--squash of an experimental daemon builds, says that it cannot squash, and names nothing", async () => {
  const config = join(rig.dir, "experimental.json");
  writeFileSync(config, '{"experimental": true}');
  await using engine = await startEngine({ isolate: `slipway-squash${process.pid}`, args: ["--config", config] });
  const docker = stockDocker({ socket: engine.socket });
  await docker.ok("load", "-i", join(rig.dir, "image.tar"));
  const context = rig.context({ Dockerfile: "FROM busybox\nRUN echo 1 > /f\n" });
  const built = await docker.inside(["env", "DOCKER_BUILDKIT=0", clients.docker, "build", "--squash", "-t", "squashed", context]);
  expect([built.code, built.stderr]).toEqual([1, expect.stringContaining("error squashing image: not implemented")]);
  expect(await docker.ok("images", "-q", "squashed")).toBe("");
  const tar = await tarOf([{ name: "Dockerfile", data: "FROM busybox\n" }]);
  const experimental = new EngineClient({ kind: "socket", path: engine.socket });
  const { body } = await experimental.stream("POST", "/build", { query: { squash: 1, version: 2, t: "kept" }, body: Readable.from([tar]) });
  expect(Buffer.concat(await body.toArray()).toString()).toContain("error squashing image: not implemented");
  expect(await docker.ok("images", "-q", "kept")).not.toBe("");
});

test("--squash is the experimental daemon's: the client refuses it, and so does the engine", async () => {
  const context = rig.context({ Dockerfile: "FROM busybox\nRUN true\n" });
  const refused = await rig.docker.inside(["env", "DOCKER_BUILDKIT=0", clients.docker, "build", "--squash", context]);
  expect(refused.stderr).toContain('"--squash" is only supported on a Docker daemon with experimental features enabled');
  await expect(client.stream("POST", "/build", { query: { squash: 1 } })).rejects.toThrow("squash is only supported with experimental mode");
});
