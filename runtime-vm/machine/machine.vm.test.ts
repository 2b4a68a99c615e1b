import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FrameReader } from "#api/stdcopy.ts";
import { EngineClient } from "#client/client.ts";
import { QemuMachine, type QemuOptions } from "./drivers/qemu/qemu.ts";
import { imagePaths, machinePaths } from "./names.ts";
import { findVirtiofsd } from "./virtiofsd.ts";

/** One guest for the whole file: each test goes on with what the one before left. */
let root: string;
let shared: string;
let daemonJson: string;
let machine: QemuMachine;
let engine: EngineClient;
const never = new AbortController().signal;
const starter = "slipway/welcome";

const arch = process.arch === "arm64" ? "arm64" : "amd64";
const out = join(import.meta.dirname, "../image/out", arch);
const fileServer = await findVirtiofsd(join(out, "rootfs"), process.platform, process.arch);
const options = (): QemuOptions => ({
  root: join(root, "machine"),
  image: imagePaths(out),
  arch,
  platform: process.platform,
  accelerator: "auto",
  memoryMiB: 2_048,
  cpus: 2,
  diskBytes: 8 * 2 ** 30,
  folders: [shared, homedir()],
  ...(fileServer ? { fileServer } : {}),
  daemonFile: { path: daemonJson, required: false },
  debug: false,
  log: () => {},
});

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-vm-"));
  shared = join(root, "shared folder, with a comma");
  await mkdir(shared);
  daemonJson = join(root, "daemon.json");
  await writeFile(daemonJson, '{ "labels": ["from=file"], "default-shm-size": "32M", "data-root": "/elsewhere" }');
  machine = new QemuMachine(options());
  engine = new EngineClient({ kind: "dial", dial: () => machine.connect() });
  const started = machine.start({ signal: never });
  // A file that is not written yet names no process, and 0 would be all of ours.
  process.kill(await until("the first QEMU", async () => Number(await readFile(machinePaths(options().root).pid, "utf8")) || undefined), "SIGKILL");
  await started;
});
afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly ExitCode: number; readonly Pid: number };
}

async function run(name: string, command: readonly string[], hostConfig: object = {}, more: object = {}): Promise<string> {
  const { Id } = await engine.json<{ Id: string }>("POST", "/containers/create", {
    query: { name },
    json: { Image: starter, Cmd: command, HostConfig: hostConfig, ...more },
  });
  await engine.call("POST", `/containers/${Id}/start`);
  return Id;
}

/** What a container without a terminal wrote. */
async function output(id: string): Promise<string> {
  const { body } = await engine.stream("GET", `/containers/${id}/logs`, { query: { stdout: true, stderr: true } });
  const reader = new FrameReader();
  let all = "";
  for await (const chunk of body as AsyncIterable<Buffer>) for (const { payload } of reader.push(chunk)) all += Buffer.from(payload).toString();
  return all;
}

const inspect = (id: string): Promise<Inspected> => engine.json<Inspected>("GET", `/containers/${id}/json`);

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 1_200; tries++) {
    const found = await look().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    await sleep(250);
  }
  throw new Error(`${what}: waited in vain; the console ends with:\n${machine.status.logTail.slice(-20).join("\n")}`);
}

test("a boot whose QEMU dies is tried again, told step by step, and the engine answers", async () => {
  const { phase, steps, accelerator, restarts } = machine.status;
  expect(phase).toBe("running");
  expect(restarts).toBeGreaterThan(0);
  expect(["kvm", "hvf", "whpx", "tcg"]).toContain(accelerator);
  expect(steps.filter((step) => step.state !== "done")).toEqual([]);
  expect(steps.map((step) => step.name)).toEqual(
    expect.arrayContaining(["image", "disk", "accelerator", "files", "qemu", "kernel", "guest-root", "guest-disk", "guest-shares", "engine", "link", "api"]),
  );
  expect(await engine.json("GET", "/version")).toMatchObject({ ApiVersion: "1.51", Os: "linux" });
});

test("usage of the whole machine is shown", async () => {
  const usage = await until("usage", async () => machine.status.usage);
  expect(usage.memoryTotalBytes).toBeGreaterThan(1.5 * 2 ** 30);
  expect(usage.memoryBytes).toBeLessThan(usage.memoryTotalBytes);
  expect(usage.diskBytes).toBeGreaterThan(0);
});

interface Info {
  readonly Labels: readonly string[];
}

test("the engine is configured by the daemon.json of this computer, and what means nothing in the machine is named", async () => {
  expect((await engine.json<Info>("GET", "/info")).Labels).toEqual(["from=file"]);
  const id = await run("shm", ["sh", "-c", "df -k /dev/shm | tail -n 1"]);
  await engine.json("POST", `/containers/${id}/wait`);
  expect(await output(id)).toMatch(/ 32768 /);
  expect(machine.status.notices).toContain('daemon.json: "data-root" has no effect: the virtual machine has a data disk of its own');
});

test("a daemon.json that changes is taken over while the engine runs, a broken one is refused with its line, and the file is left alone", async () => {
  const noticed = (part: string) =>
    until(part, async () => machine.status.notices.find((notice) => notice.startsWith("daemon.json: ") && notice.includes(part)));
  await writeFile(daemonJson, '{ "labels": ["from=change"], "bip": "10.99.0.1/24", "nonsense": 1 }');
  await noticed("bip counts from the next start of the machine on");
  expect(await noticed("nonsense")).toBe('daemon.json: unknown key "nonsense" is ignored');
  await until("the new label", async () => (await engine.json<Info>("GET", "/info")).Labels[0] === "from=change");
  const broken = '{\n  "labels": [from=change]\n}';
  await writeFile(daemonJson, broken);
  expect(await noticed("line 2, column 15")).toContain("the engine goes on as before");
  await writeFile(daemonJson, '{ "debug": "perhaps" }');
  await noticed("debug");
  expect((await engine.json<Info>("GET", "/info")).Labels).toEqual(["from=change"]);
  expect(await readFile(daemonJson, "utf8")).toBe('{ "debug": "perhaps" }');
  await writeFile(daemonJson, '{ "labels": ["from=change"] }');
  await until("no complaint", async () => machine.status.notices.every((notice) => !notice.startsWith("daemon.json: ")));
});

test("a second process cannot run the same machine", async () => {
  await using other = new QemuMachine(options());
  await expect(other.start({ signal: never })).rejects.toMatchObject({ class: "conflict" });
  expect(other.status).toMatchObject({ phase: "failed", error: { message: expect.stringContaining("run by another process") as string } });
});

test("the starter image is there without any network", async () => {
  const images = await engine.json<{ RepoTags: string[] }[]>("GET", "/images/json");
  expect(images.map(({ RepoTags }) => RepoTags)).toEqual([[`${starter}:latest`]]);
});

test("the share of processor time that is shown rises with the work", async () => {
  const id = await run("busy", ["sh", "-c", "while :; do :; done"]);
  const share = (): number => machine.status.usage?.cpuPercent ?? Number.NaN;
  // One of the machine's two processors.
  await expect.poll(share, { timeout: 120_000 }).toBeGreaterThan(45);
  await engine.call("DELETE", `/containers/${id}`, { query: { force: true } });
  await expect.poll(share, { timeout: 120_000 }).toBeLessThan(45);
});

test("a clock that went wrong, as after this computer slept, is put right", async () => {
  const lag = async (): Promise<number> => Math.abs(Date.parse((await engine.json<{ SystemTime: string }>("GET", "/info")).SystemTime) - Date.now());
  expect(await lag()).toBeLessThan(60_000);
  const id = await run("clock", ["date", "-u", "-s", "@1000000000"], { Privileged: true });
  expect(await engine.json("POST", `/containers/${id}/wait`)).toMatchObject({ StatusCode: 0 });
  await until("the right time", async () => (await lag()) < 60_000);
});

test("a machine that stood still, as when this computer sleeps, goes on with the same containers and the right time", async () => {
  const sleeper = await run("sleeper", ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 1; done"]);
  const { State } = await inspect(sleeper);
  const { restarts } = machine.status;
  const qemu = Number(await readFile(machinePaths(options().root).pid, "utf8"));
  process.kill(qemu, "SIGSTOP");
  await sleep(20_000);
  process.kill(qemu, "SIGCONT");
  const { SystemTime } = await until("the engine", async () => await engine.json<{ SystemTime: string }>("GET", "/info"));
  expect((await inspect(sleeper)).State).toMatchObject({ Running: true, Pid: State.Pid });
  expect(machine.status).toMatchObject({ phase: "running", restarts });
  expect(Math.abs(Date.parse(SystemTime) - Date.now())).toBeLessThan(60_000);
  const written = (await output(sleeper)).split("\n").length;
  await until("more output", async () => (await output(sleeper)).split("\n").length > written);
  await engine.call("DELETE", `/containers/${sleeper}`, { query: { force: true } });
});

test("a shared folder is the same in a container, both ways", async () => {
  await writeFile(join(shared, "from host"), "hello");
  const id = await run("shares", ["sh", "-c", "cat '/x/from host' > /x/copy && echo done >> /x/copy"], {
    Mounts: [{ Type: "bind", Source: shared, Target: "/x" }],
  });
  expect(await engine.json("POST", `/containers/${id}/wait`)).toMatchObject({ StatusCode: 0 });
  expect(await readFile(join(shared, "copy"), "utf8")).toBe("hellodone\n");
});

test("programs in containers are told of what is changed, made, renamed and deleted in a shared folder here", async () => {
  const tree = join(shared, "watched");
  await mkdir(tree);
  await writeFile(join(tree, "there"), "before");
  // Node is what a guest's root has to watch files with; what it sees there is what a bind mount of the same folder sees.
  const script = `const { watch } = require("node:fs");
    const seen = (folder) => watch(folder, (kind, name) => console.log(kind + " " + name));
    seen(${JSON.stringify(`/host${tree}`)});
    console.log("watching");`;
  const id = await run("watcher", ["chroot", "/proc/1/root", "/usr/bin/node", "-e", script], {
    PidMode: "host",
    Privileged: true,
    Mounts: [{ Type: "bind", Source: tree, Target: "/x" }],
  });
  let told = 0;
  const next = async (what: string): Promise<string> => {
    const lines = await until(`being told of ${what}`, async () => {
      const now = (await output(id)).trim().split("\n");
      return now.length > told && now.some((line, i) => i >= told && line.endsWith(what)) && now;
    });
    told = lines.length;
    return lines.join("\n");
  };
  await next("watching");
  const { mtimeNs } = await stat(join(tree, "there"), { bigint: true });
  await sleep(2_000);
  await writeFile(join(tree, "there"), "after");
  expect(await next("there")).toContain("change there");
  expect((await stat(join(tree, "there"), { bigint: true })).mtimeNs).toBeGreaterThan(mtimeNs);
  expect(await readFile(join(tree, "there"), "utf8")).toBe("after");
  await writeFile(join(tree, "new"), "");
  expect(await next("new")).toContain("rename new");
  await rename(join(tree, "new"), join(tree, "renamed"));
  expect(await next("renamed")).toContain("rename new\nrename renamed");
  // Until the guest has to look at it anew, which it cannot once it is gone.
  await sleep(2_000);
  await rm(join(tree, "renamed"));
  expect(await next("renamed")).toContain("rename renamed");
  await engine.call("DELETE", `/containers/${id}`, { query: { force: true } });
});

test("mounts go in and out of a container as far as its volume's propagation says, and a container's own root is seen nowhere else", async () => {
  await mkdir(join(shared, "deep"));
  const mount = (Propagation: string) => [{ Type: "bind", Source: shared, Target: "/x", BindOptions: { Propagation } }];
  const watchers = ["rprivate", "rslave", "rshared"];
  const waiting = [
    "sh",
    "-c",
    "until [ -e '/x/go' ]; do sleep 0.2; done; grep -c ' /x/deep ' /proc/self/mountinfo; grep -c ' - overlay ' /proc/self/mountinfo",
  ];
  const ids = await Promise.all(watchers.map((propagation) => run(`watch-${propagation}`, waiting, { Mounts: mount(propagation) })));
  const maker = await run("maker", ["sh", "-c", "mount -t tmpfs inside /x/deep && touch /x/go && until [ -e /x/stop ]; do sleep 0.2; done; umount /x/deep"], {
    Mounts: mount("rshared"),
    Privileged: true,
  });
  for (const id of ids) await engine.json("POST", `/containers/${id}/wait`);
  expect(await Promise.all(ids.map(output))).toEqual(["0\n1\n", "1\n1\n", "1\n1\n"]);
  await writeFile(join(shared, "stop"), "");
  expect(await engine.json("POST", `/containers/${maker}/wait`)).toMatchObject({ StatusCode: 0 });
  // Nothing of it stays in the machine.
  const after = await run("after", ["grep", "-c", " /x/deep ", "/proc/self/mountinfo"], { Mounts: mount("rslave") });
  await engine.json("POST", `/containers/${after}/wait`);
  expect(await output(after)).toBe("0\n");
});

test("a published port answers on the host while its container runs, and no longer", async () => {
  const id = await run("web", [], { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } }, { ExposedPorts: { "80/tcp": {} }, Cmd: null });
  const { NetworkSettings } = await engine.json<{ NetworkSettings: { Ports: Record<string, { HostPort: string }[]> } }>("GET", `/containers/${id}/json`);
  const url = `http://127.0.0.1:${NetworkSettings.Ports["80/tcp"]?.[0]?.HostPort}/`;
  const page = await until("the page", async () => (await fetch(url)).text());
  expect(page).toContain("<html");
  await engine.call("DELETE", `/containers/${id}`, { query: { force: true } });
  await expect(fetch(url)).rejects.toThrow();
});

test("containers reach a service of this computer by host.docker.internal, not their own published ports, and not by QEMU's addresses", async () => {
  await using server = createServer((_request, response) => response.end("from the host"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const published = await run("published", ["sleep", "1000"], { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } });
  const { NetworkSettings } = await engine.json<{ NetworkSettings: { Ports: Record<string, { HostPort: string }[]> } }>("GET", `/containers/${published}/json`);
  const own = NetworkSettings.Ports["80/tcp"]?.[0]?.HostPort ?? "";
  // One line each, whatever comes.
  const get = (host: string): string => `echo "$(wget -q -T 20 -O - http://${host}/ 2> /dev/null || echo refused)"`;
  const hosts = [
    `host.docker.internal:${port}`,
    `gateway.docker.internal:${port}`,
    `x:${port}`,
    `host.docker.internal:${own}`,
    `10.0.2.2:${port}`,
    `10.0.2.3:${port}`,
    `[fec0::2]:${port}`,
  ];
  for (const mode of ["bridge", "host"]) {
    const id = await run(`reach-${mode}`, ["sh", "-c", hosts.map(get).join("\n")], { NetworkMode: mode, ExtraHosts: ["x:host-gateway"] });
    await engine.json("POST", `/containers/${id}/wait`);
    expect((await output(id)).trim().split("\n"), mode).toEqual([
      "from the host",
      "from the host",
      "from the host",
      "refused",
      "refused",
      "refused",
      "refused",
    ]);
  }
  await engine.call("DELETE", `/containers/${published}`, { query: { force: true } });
});

test("a killed engine comes back by itself and takes up its containers", async () => {
  const survivor = await run("survivor", ["sleep", "100000"]);
  const { State } = await inspect(survivor);
  const { restarts } = machine.status;
  // From inside, as nothing on the host can: the engine is a process of the guest like any other.
  await run("killer", ["sh", "-c", "sleep 1; kill -9 $(pidof node)"], { PidMode: "host", Privileged: true });
  await until("another engine", async () => machine.status.logTail.some((line) => line.includes("the engine was started again")));
  const after = await until("the container", async () => await inspect(survivor));
  expect(after.State).toMatchObject({ Running: true, Pid: State.Pid });
  expect(machine.status.restarts).toBe(restarts);
});

test("what was acknowledged before a power cut is there after it", async () => {
  const acknowledged: string[] = [];
  const containers: string[] = [];
  const { restarts } = machine.status;
  // Data that a program has synced; each word is told only after it.
  const writer = await run(
    "writer",
    ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i | dd of=/data/word$i conv=fsync 2> /dev/null && echo synced $i; sleep 0.2; done"],
    { Binds: ["synced:/data"] },
  );
  const qemu = Number(await readFile(machinePaths(join(root, "machine")).pid, "utf8"));
  const writing = (async () => {
    for (let i = 0; ; i++) {
      await engine.call("POST", "/volumes/create", { json: { Name: `volume${i}` } });
      acknowledged.push(`volume${i}`);
      const { Id } = await engine.json<{ Id: string }>("POST", "/containers/create", { query: { name: `made${i}` }, json: { Image: starter, Cmd: ["true"] } });
      containers.push(Id);
      if (i === 2) await engine.call("POST", "/images/slipway/welcome/tag", { query: { repo: "kept", tag: "1" } });
    }
  })().catch(() => {});
  let synced = 0;
  await until("some writes", async () => {
    synced = (await output(writer)).split("synced").length - 1;
    return acknowledged.length >= 8 && synced >= 3;
  });
  process.kill(qemu, "SIGKILL");
  await writing;
  // More than once where a guest crashes on its way up: the next one is as good.
  await until("the restart", async () => machine.status.restarts > restarts && machine.status.phase === "running");
  const { Volumes } = await engine.json<{ Volumes: { Name: string }[] }>("GET", "/volumes");
  expect(Volumes.map((volume) => volume.Name)).toEqual(expect.arrayContaining(acknowledged));
  for (const id of containers) expect(await inspect(id)).toMatchObject({ State: { Running: false } });
  expect(await engine.json("GET", "/images/kept:1/json")).toMatchObject({ RepoTags: expect.arrayContaining(["kept:1"]) as string[] });
  const reader = await run("reader", ["sh", "-c", `for i in $(seq ${synced}); do cat /data/word$i; done`], { Binds: ["synced:/data"] });
  await engine.json("POST", `/containers/${reader}/wait`);
  expect((await output(reader)).trim().split("\n")).toEqual(Array.from({ length: synced }, (_, i) => String(i + 1)));
  // A root that was made is whole: it starts.
  const [first = ""] = containers;
  await engine.call("POST", `/containers/${first}/start`);
  expect(await engine.json("POST", `/containers/${first}/wait`)).toMatchObject({ StatusCode: 0 });
  // What was in the middle of its making is whole or not there: it can be made again.
  await engine.call("POST", "/volumes/create", { json: { Name: `volume${acknowledged.length}` } });
  expect(await inspect("survivor")).toMatchObject({ State: { Running: false } });
});

test("a clean shutdown stops containers by their signal, and the next start finds it all", async () => {
  const id = await run("polite", ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"]);
  await sleep(1_000);
  await machine.stop();
  expect(machine.status.phase).toBe("stopped");
  await expect(machine.connect()).rejects.toMatchObject({ class: "unavailable" });
  await writeFile(daemonJson, "{ broken");
  await expect(machine.start({ signal: never })).rejects.toMatchObject({ message: expect.stringMatching(/daemon\.json.*line 1, column 3/) as string });
  expect(machine.status).toMatchObject({ phase: "failed", error: { message: expect.stringContaining(daemonJson) as string } });
  await writeFile(daemonJson, "{}");
  await machine.start({ signal: never });
  expect(await inspect(id)).toMatchObject({ State: { Running: false, ExitCode: 7 } });
});
