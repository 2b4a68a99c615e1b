import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerCreateRequest, HostConfig } from "#api/containers.ts";
import type { Why } from "#api/why.ts";
import type { EngineClient } from "#client/client.ts";
import { type ImageEntry, busyboxLayer, makeImage } from "../fixtures/image.ts";
import { type Rig, create, events, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
let shared: string;
beforeAll(async () => {
  rig = await openRig("why", { images: [await makeImage("broken:latest", [busyboxLayer(), brokenPrograms()])] });
  client = rig.client;
  shared = mkdtempSync(join(tmpdir(), "slipway-why-"));
  mkdirSync(join(shared, "private"), { mode: 0o700 });
  await client.call("POST", "/networks/create", { json: { Name: "app" } });
  await client.call("POST", "/networks/create", { json: { Name: "apart" } });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(shared, { recursive: true, force: true });
});

const why = (id: string): Promise<Why> => client.json("GET", `/slipway/containers/${id}/why`);

/** Every way in which a file is not what the kernel can run. */
function brokenPrograms(): ImageEntry[] {
  const loader = process.arch === "arm64" ? "lib/ld-linux-aarch64.so.1" : "lib64/ld-linux-x86-64.so.2";
  const program = (name: string, data: Buffer | string): ImageEntry => ({ name: `opt/${name}`, mode: 0o755, data });
  return [
    { name: "opt/", type: "directory" },
    program("crlf.sh", "#!/bin/sh\r\necho hello\r\n"),
    program("python.sh", "#!/usr/bin/python9\nprint(1)\n"),
    program("noline", "echo hello\n"),
    program("mainframe", foreignBinary()),
    program("dynamic", otherLoader(readFileSync("/usr/bin/stat"), loader)),
    program("unlinked", readFileSync("/usr/bin/stat")),
    { name: `${loader.slice(0, loader.indexOf("/"))}/`, type: "directory" },
    { name: loader, mode: 0o755, data: readFileSync(`/${loader}`) },
  ];
}

/** The head of a program for IBM's s390x. */
function foreignBinary(): Buffer {
  const head = Buffer.alloc(128);
  head.write("\x7fELF", 0, "latin1");
  head.set([2, 2, 1], 4);
  head.writeUInt16BE(2, 16);
  head.writeUInt16BE(22, 18);
  return head;
}

/** The same program, asking for a loader that no image here has. */
function otherLoader(program: Buffer, loader: string): Buffer {
  const at = program.indexOf(`/${loader}`);
  program.write("x", at + 1, "latin1");
  return program;
}

interface Case {
  readonly what: string;
  readonly rule: string;
  readonly says: RegExp;
  readonly body?: Partial<ContainerCreateRequest>;
  /** Instead of a start and its end. */
  readonly happen?: (id: string) => Promise<unknown>;
}

const host = (HostConfig: HostConfig): { HostConfig: HostConfig } => ({ HostConfig });
const broken = (...Cmd: string[]): Partial<ContainerCreateRequest> => ({ Image: "broken", Cmd });

async function start(id: string): Promise<void> {
  await client.call("POST", `/containers/${id}/start`).catch(() => undefined);
}

async function startAndEnd(id: string): Promise<void> {
  await start(id);
  await wait(client, id);
}

/** Until its program has set itself up. */
async function startAndHear(id: string): Promise<void> {
  await start(id);
  await expect.poll(async () => (await logs(client, id)).stdout, { timeout: 30_000 }).toContain("ready");
}

/** Until an event of this container's says so. */
async function untilEvent(id: string, action: string, act: () => Promise<unknown>, times = 1): Promise<void> {
  const happened = events(client, { container: [id], event: [action] });
  await happened.ready;
  await act();
  await expect.poll(() => happened.seen.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(times);
  happened.stop();
}

const failures: readonly Case[] = [
  {
    what: "a command that is in no directory of the PATH",
    rule: "command-not-found",
    says: /nothing-here is in no directory/,
    body: { Cmd: ["nothing-here"] },
  },
  { what: "a whole line as one word", rule: "command-not-found", says: /one program's name/, body: { Cmd: ["echo hello world"] } },
  { what: "a path that is not there", rule: "command-not-found", says: /\/opt\/absent is not in the image/, body: { Cmd: ["/opt/absent"] } },
  { what: "a file without the right to be executed", rule: "not-executable", says: /\/etc\/passwd has no execute permission/, body: { Cmd: ["/etc/passwd"] } },
  { what: "a directory as the command", rule: "not-executable", says: /is a directory/, body: { Cmd: ["/etc"] } },
  { what: "a binary for another architecture", rule: "wrong-architecture", says: /built for s390x, and this machine is/, body: broken("/opt/mainframe") },
  { what: "a script whose interpreter is missing", rule: "interpreter-missing", says: /python9, which is not in the image/, body: broken("/opt/python.sh") },
  { what: "a program whose loader is missing", rule: "interpreter-missing", says: /needs the loader/, body: broken("/opt/dynamic") },
  { what: "a script with Windows line ends", rule: "crlf", says: /CRLF/, body: broken("/opt/crlf.sh") },
  { what: "a script without its first line", rule: "not-a-program", says: /names its interpreter/, body: broken("/opt/noline") },
  { what: "a shared library that is missing", rule: "missing-library", says: /shared library lib\S+ is not in the image/, body: broken("/opt/unlinked", "/") },
  { what: "a user the image does not have", rule: "user-unknown", says: /no user nobody-here/, body: { Cmd: ["true"], User: "nobody-here" } },
  {
    what: "a port another container has",
    rule: "port-taken",
    says: /Port 18080 of the host is taken by .*holder/,
    body: { Cmd: ["true"], ExposedPorts: { "80/tcp": {} }, ...host({ PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "18080" }] } }) },
    happen: async (id) => {
      const holder = await run(client, {
        name: "holder",
        Cmd: ["sleep", "100"],
        ExposedPorts: { "80/tcp": {} },
        ...host({ PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "18080" }] } }),
      });
      await start(id);
      await remove(client, holder);
    },
  },
  {
    what: "a mount whose source went",
    rule: "mount-source-missing",
    says: /\/gone is not on the host/,
    body: {},
    happen: async (id) => {
      rmSync(join(shared, "gone"), { recursive: true });
      await start(id);
    },
  },
  {
    what: "a mount that belongs to somebody else",
    rule: "permission-denied",
    says: /mounted at \/data belongs to somebody else.*owner 0:0, mode 0700/s,
    body: { ...sh("echo x > /data/file"), User: "1000" },
  },
  { what: "a read-only mount", rule: "read-only", says: /mount \/data is read-only/, body: { ...sh("echo x > /data/file || exit 4") } },
  {
    what: "a read-only root",
    rule: "read-only",
    says: /root is read-only/,
    body: { ...sh("echo x > /etc/file || exit 4"), ...host({ ReadonlyRootfs: true }) },
  },
  {
    what: "a full file system",
    rule: "disk-full",
    says: /no space left/,
    body: { ...sh("dd if=/dev/zero of=/small/file bs=1024 count=512"), ...host({ Tmpfs: { "/small": "size=64k" } }) },
  },
  { what: "what takes a capability", rule: "not-permitted", says: /capability NET_ADMIN/, body: { Cmd: ["ip", "link", "add", "dummy0", "type", "dummy"] } },
  { what: "a mount inside a container", rule: "not-permitted", says: /capability SYS_ADMIN/, body: { Cmd: ["mount", "-t", "tmpfs", "none", "/tmp"] } },
  {
    what: "a port of an address the host does not have",
    rule: "port-refused",
    says: /no address 203\.0\.113\.9 to publish port 18081/,
    body: { Cmd: ["true"], ExposedPorts: { "80/tcp": {} }, ...host({ PortBindings: { "80/tcp": [{ HostIp: "203.0.113.9", HostPort: "18081" }] } }) },
  },
  { what: "a directory mounted on a file", rule: "mount-kind", says: /joins a file and a directory/, body: { Cmd: ["true"] } },
  {
    what: "a network that is not there",
    rule: "network-missing",
    says: /network never-there is not there/,
    body: { Cmd: ["true"], ...host({ NetworkMode: "never-there" }) },
  },
  { what: "a program that gave up", rule: "aborted", says: /abort/i, body: sh('sh -c "echo assertion failed >&2; kill -ABRT \\$\\$"; exit $?') },
  { what: "a call that seccomp ends", rule: "crashed", says: /seccomp/, body: sh('sh -c "kill -SYS \\$\\$"; exit $?') },
  { what: "a crash", rule: "crashed", says: /segmentation fault/, body: sh('sh -c "kill -SEGV \\$\\$"; exit $?') },
  {
    what: "a name that nobody has",
    rule: "name-unknown",
    says: /no container is called database/,
    body: { Cmd: ["wget", "http://database/"], ...host({ NetworkMode: "app", Dns: ["127.0.0.1"] }) },
  },
  {
    what: "a name on another network",
    rule: "name-unknown",
    says: /elsewhere is on none of this container's networks/,
    body: { Cmd: ["wget", "http://elsewhere/"], ...host({ NetworkMode: "app", Dns: ["127.0.0.1"] }) },
    happen: async (id) => {
      const other = await run(client, { name: "elsewhere", Cmd: ["sleep", "100"], ...host({ NetworkMode: "apart" }) });
      await startAndEnd(id);
      const found = await why(id);
      await remove(client, other);
      return found;
    },
  },
  { what: "its own localhost", rule: "connection-refused", says: /localhost is the container/, body: { Cmd: ["wget", "http://127.0.0.1:5432/"] } },
  {
    what: "a container where nothing listens yet",
    rule: "connection-refused",
    says: /nothing listened there.*the container silent is running/s,
    body: { Cmd: ["wget", "http://silent:5432/"], ...host({ NetworkMode: "app", Dns: ["127.0.0.1"] }) },
    happen: async (id) => {
      const other = await run(client, { name: "silent", Cmd: ["sleep", "100"], ...host({ NetworkMode: "app", Dns: ["127.0.0.1"] }) });
      await startAndEnd(id);
      const found = await why(id);
      await remove(client, other);
      return found;
    },
  },
  {
    what: "docker kill",
    rule: "killed",
    says: /killed by docker kill, with SIGKILL/,
    body: { Cmd: ["sleep", "100"] },
    happen: async (id) => {
      await start(id);
      await client.call("POST", `/containers/${id}/kill`);
      await wait(client, id);
    },
  },
  {
    what: "a stop it does not listen to",
    rule: "stop-timeout",
    says: /within 1 s of SIGTERM, so docker stop killed it/,
    body: { ...sh("trap '' TERM; echo ready; while true; do sleep 1; done"), StopTimeout: 1 },
    happen: async (id) => {
      await startAndHear(id);
      await client.call("POST", `/containers/${id}/stop`);
    },
  },
  {
    what: "a signal from outside the engine",
    rule: "signalled",
    says: /SIGKILL, which nobody sent through this engine/,
    body: { Cmd: ["sleep", "100"] },
    happen: async (id) => {
      await start(id);
      process.kill((await inspect(client, id)).State.Pid, "SIGKILL");
      await wait(client, id);
    },
  },
  {
    what: "a health check that fails",
    rule: "unhealthy",
    says: /failed \d+ times in a row.*the tables are gone/s,
    body: { Cmd: ["sleep", "100"], Healthcheck: { Test: ["CMD-SHELL", "echo the tables are gone; exit 1"], Interval: 50_000_000, Retries: 2 } },
    // Paused, it is not checked again while it is asked about.
    happen: async (id) => {
      await untilEvent(id, "health_status: unhealthy", () => start(id));
      await client.call("POST", `/containers/${id}/pause`);
    },
  },
  {
    what: "a program that ends again and again",
    rule: "restart-loop",
    says: /exit code 3 .*over and over, about every .*no configuration/s,
    body: { ...sh("echo no configuration; exit 3"), ...host({ RestartPolicy: { Name: "always", MaximumRetryCount: 0 } }) },
    happen: (id) => untilEvent(id, "die", () => start(id), 4),
  },
  { what: "a command missing in a script", rule: "command-not-found", says: /command psql is not in the image/, body: sh("psql -c 'select 1'") },
  { what: "a program that says nothing", rule: "exit-code", says: /exit code 78, by convention a wrong configuration.*it said nothing/s, body: sh("exit 78") },
];

/** Bodies that name what only this run has. */
function bodyOf({ what, body = {} }: Case): Partial<ContainerCreateRequest> {
  const bind = (source: string, readOnly: boolean): HostConfig => ({
    Mounts: [{ Type: "bind", Source: join(shared, source), Target: "/data", ReadOnly: readOnly }],
  });
  switch (what) {
    case "a mount whose source went":
      mkdirSync(join(shared, "gone"));
      return { Cmd: ["true"], HostConfig: bind("gone", false) };
    case "a mount that belongs to somebody else":
      chmodSync(join(shared, "private"), 0o700);
      return { ...body, HostConfig: bind("private", false) };
    case "a directory mounted on a file":
      return { ...body, HostConfig: { Binds: [`${shared}:/etc/passwd`] } };
    case "a read-only mount":
      return { ...body, HostConfig: bind("private", true) };
    default:
      return body;
  }
}

describe("what failed is told", () => {
  test.for(failures)("$what: $rule", async (row) => {
    const id = await create(client, bodyOf(row));
    const given = await (row.happen ?? startAndEnd)(id);
    const { Explanation: found } = (given as Why | undefined) ?? (await why(id));
    expect({ rule: found?.Rule, ...found }).toMatchObject({ rule: row.rule });
    expect([found?.Verdict, ...(found?.Evidence ?? []), found?.Fix].join("\n")).toMatch(row.says);
    // The same facts, the same words.
    if (row.rule !== "restart-loop" && given === undefined) expect((await why(id)).Explanation).toEqual(found);
    await remove(client, id);
  });
});

const alarming = [
  "Permission denied",
  "connect: Connection refused",
  "No space left on device",
  "sh: python: not found",
  "Read-only file system",
  "Operation not permitted",
  "wget: bad address 'db'",
  "error while loading shared libraries: libx.so: cannot open shared object file",
  "listen EADDRINUSE: address already in use :::80",
  "java.lang.OutOfMemoryError: Java heap space",
];

const well: readonly { readonly what: string; readonly body: Partial<ContainerCreateRequest>; readonly happen?: (id: string) => Promise<unknown> }[] = [
  { what: "one that ended with 0", body: { Cmd: ["true"] } },
  ...alarming.map((line) => ({ what: `one that ended with 0 and said "${line}"`, body: { Cmd: ["echo", line] } })),
  { what: "one that was never started", body: { Cmd: ["false"] }, happen: () => Promise.resolve() },
  { what: "one that runs", body: { Cmd: ["sleep", "100"] }, happen: start },
  {
    what: "one that is paused",
    body: { Cmd: ["sleep", "100"] },
    happen: async (id) => {
      await start(id);
      await client.call("POST", `/containers/${id}/pause`);
    },
  },
  {
    what: "one that was stopped and ended by its signal",
    body: { ...sh("echo ready; sleep 100"), HostConfig: { Init: true } },
    happen: async (id) => {
      await startAndHear(id);
      await client.call("POST", `/containers/${id}/stop`);
      expect((await inspect(client, id)).State.ExitCode).toBe(143);
    },
  },
  {
    what: "one that was stopped and ended with a code of its own",
    body: sh("trap 'exit 5' TERM; echo ready; while true; do sleep 0.05; done"),
    happen: async (id) => {
      await startAndHear(id);
      await client.call("POST", `/containers/${id}/stop`);
      expect((await inspect(client, id)).State.ExitCode).toBe(5);
    },
  },
  {
    what: "one that got Ctrl-C",
    body: { ...sh("echo ready; sleep 100"), HostConfig: { Init: true } },
    happen: async (id) => {
      await startAndHear(id);
      await client.call("POST", `/containers/${id}/kill`, { query: { signal: "SIGINT" } });
      expect(await wait(client, id)).toBe(130);
    },
  },
  {
    what: "one that was restarted by hand",
    body: { Cmd: ["sleep", "100"], StopTimeout: 0 },
    happen: async (id) => {
      await start(id);
      await client.call("POST", `/containers/${id}/restart`);
    },
  },
  {
    what: "one whose health check is content",
    body: { Cmd: ["sleep", "100"], Healthcheck: { Test: ["CMD", "true"], Interval: 50_000_000 } },
    happen: (id) => untilEvent(id, "health_status: healthy", () => start(id)),
  },
  {
    what: "one that came up at the second try",
    body: { ...sh("test -e /once || { touch /once; exit 1; }; sleep 100"), HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } } },
    happen: (id) => untilEvent(id, "start", () => start(id), 2),
  },
];

describe("what is well is left alone", () => {
  test.for(well)("$what", async ({ body, happen }) => {
    const id = await create(client, body);
    await (happen ?? startAndEnd)(id);
    expect(await why(id)).toMatchObject({ Id: id, Explanation: null });
    await remove(client, id);
  });

  test("the tables hold twenty of each", () => {
    expect(Math.min(failures.length, well.length)).toBeGreaterThanOrEqual(20);
  });
});

test("an unknown container has no explanation, but an error", async () => {
  await expect(why("nobody")).rejects.toMatchObject({ class: "notFound", message: "No such container: nobody" });
});
