/** Containers whose users are others of the machine: daemon.json's `userns-remap`. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { clients } from "../fixtures/clients.mjs";
import { stockDocker } from "../fixtures/docker.ts";
import { startEngine } from "../fixtures/program.ts";
import { type Rig, call, create, frames, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-userns-");
const file = join(dir, "daemon.json");
const root = join(dir, "root");
const mapped = "0 100000 65536";
let rig: Rig;

beforeAll(async () => {
  writeFileSync(file, JSON.stringify({ "userns-remap": "default" }));
  rig = await openRig("userns", { root, args: ["--config", file] });
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const words = (text: string): string => text.trim().replaceAll(/\s+/g, " ");

async function output(body: Parameters<typeof run>[1]): Promise<string> {
  const id = await run(rig.client, body);
  await wait(rig.client, id);
  const { stdout, stderr } = await logs(rig.client, id);
  await remove(rig.client, id);
  return stdout + stderr;
}

async function exec(client: EngineClient, id: string, script: string, more: object = {}): Promise<string> {
  const json = { ...sh(script), AttachStdout: true, AttachStderr: true, ...more };
  const { Id } = await client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json });
  const { body } = await client.stream("POST", `/exec/${Id}/start`, { json: {} });
  return (await frames(body)).stdout;
}

const ownerOf = (path: string): number[] => [statSync(path).uid, statSync(path).gid];

test("info says so, and a container's root is nobody on the machine", async () => {
  const { SecurityOptions } = await rig.client.json<{ SecurityOptions: string[] }>("GET", "/info");
  expect(SecurityOptions).toContain("name=userns");
  const script = "cat /proc/self/uid_map; touch /made; stat -c '%u %g' /made /etc /etc/hosts /dev/shm; ls /sys/class/net; echo x > /etc/hosts && echo written";
  expect(words(await output(sh(script)))).toBe(`${mapped} 0 0 0 0 0 0 0 0 eth0 lo written`);
});

test("with --userns=host a container is root as the machine is", async () => {
  expect(words(await output({ ...sh("head -1 /proc/self/uid_map"), HostConfig: { UsernsMode: "host", Privileged: true } }))).toBe("0 0 4294967295");
});

test.each([
  [
    { Privileged: true },
    "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
  ],
  [{ NetworkMode: "host" }, "cannot share the host's network namespace when user namespaces are enabled"],
  [{ PidMode: "host" }, "cannot share the host PID namespace when user namespaces are enabled"],
])("%j is refused in dockerd's words", async (HostConfig, message) => {
  await expect(create(rig.client, { Cmd: ["true"], HostConfig })).rejects.toMatchObject({ class: "invalidArgument", message });
});

test("volumes, binds that are made and copies belong to the container's root, and come out as it sees them", async () => {
  const bind = join(dir, "bind/below");
  const id = await run(rig.client, { ...sh("sleep 1000"), HostConfig: { Binds: ["mapped:/v", `${bind}:/b`], Tmpfs: { "/t": "" }, IpcMode: "shareable" } });
  expect(words(await exec(rig.client, id, "touch /v/y /b/x /t/z /dev/shm/s; chown 5:6 /v/y; stat -c '%u:%g' /v /v/y /b /t /dev/shm /dev/shm/s"))).toBe(
    "0:0 5:6 0:0 0:0 0:0 0:0",
  );
  const { Mountpoint } = await rig.client.json<{ Mountpoint: string }>("GET", "/volumes/mapped");
  expect([ownerOf(bind), ownerOf(join(bind, "x")), ownerOf(Mountpoint), ownerOf(join(Mountpoint, "y"))]).toEqual([
    [100_000, 100_000],
    [100_000, 100_000],
    [100_000, 100_000],
    [100_005, 100_006],
  ]);
  const { body } = await rig.client.stream("GET", `/containers/${id}/archive`, { query: { path: "/v/y" } });
  const tar = Buffer.concat(await body.toArray());
  const octal = (at: number): number => Number.parseInt(tar.toString("latin1", at, at + 7), 8);
  expect([octal(108), octal(116)]).toEqual([5, 6]);
  await call(rig.client, "PUT", `/containers/${id}/archive`, {
    query: { path: "/root" },
    body: (async function* () {
      yield await Promise.resolve(tar);
    })(),
  });
  expect(words(await exec(rig.client, id, "stat -c '%u:%g' /root/y"))).toBe("5:6");
  expect(words(await exec(rig.client, id, "id -u; cat /proc/self/uid_map", { User: "7" }))).toBe(`7 ${mapped}`);
  const changes = await rig.client.json<{ Path: string }[]>("GET", `/containers/${id}/changes`);
  expect(changes.map(({ Path }) => Path)).toEqual(["/b", "/root", "/root/y", "/t", "/v"]);
  const { Id } = await rig.client.json<{ Id: string }>("POST", "/commit", { query: { container: id, repo: "committed" } });
  expect(words(await output({ Image: Id, ...sh("stat -c '%u:%g' /root/y /v") }))).toBe("5:6 0:0");
  await remove(rig.client, id);
  await rig.client.call("DELETE", "/volumes/mapped");
});

const dockerfile = `FROM busybox AS made
RUN mkdir /from && echo from > /from/file && chown -R 9:9 /from
FROM busybox
COPY --chown=3:4 copied /copied
RUN cat /proc/self/uid_map > /map && stat -c '%u:%g' /copied /etc > /seen && touch /own && chown 5:6 /own && echo x > /etc/hosts
RUN --mount=type=cache,target=/cache,uid=7,gid=8 --mount=type=bind,from=made,source=/from,target=/bound \\
    --mount=type=secret,id=word,target=/secret --mount=type=tmpfs,target=/tmpfs \\
    stat -c '%u:%g' /cache /bound/file /secret /tmpfs >> /seen && cat /bound/file /secret >> /seen && touch /cache/kept /tmpfs/x && stat -c '%u:%g' /cache/kept >> /seen
USER 1000
RUN id -u > /tmp/user && stat -c '%u' /tmp/user >> /tmp/user
`;

test.each([1, 0])("commands of a build have mapped users too, and what they write is the image's own (BuildKit: %i)", async (buildKit) => {
  const context = mkdtempSync(join(dir, "context-"));
  const classic = dockerfile.replace(/^RUN --mount(.*\\\n)*.*\n/m, "");
  writeFileSync(join(context, "Dockerfile"), buildKit === 1 ? dockerfile : classic);
  writeFileSync(join(context, "copied"), "copied\n");
  writeFileSync(join(context, "word"), "secret\n");
  const docker = stockDocker({ socket: rig.program.socket });
  const args = buildKit === 1 ? ["--secret", `id=word,src=${join(context, "word")}`] : [];
  const built = await docker.inside(["env", `DOCKER_BUILDKIT=${buildKit}`, clients.docker, "build", "-t", "mapped-built", ...args, context]);
  expect(built.stderr + built.stdout).toContain("mapped-built");
  expect(built.code).toBe(0);
  const mounts = buildKit === 1 ? " 7:8 9:9 0:0 0:0 from secret 0:0" : "";
  const shown = await output({ Image: "mapped-built", User: "0", ...sh("cat /map /seen /tmp/user; stat -c '%u:%g' /own /copied") });
  expect(words(shown)).toBe(`${mapped} 3:4 0:0${mounts} 1000 1000 5:6 3:4`);
  await docker.ok("rmi", "mapped-built");
});

test("containers that share a namespace are in the same user namespace", async () => {
  const id = await run(rig.client, { ...sh("sleep 1000"), HostConfig: { IpcMode: "shareable" } });
  for (const HostConfig of [{ PidMode: `container:${id}` }, { NetworkMode: `container:${id}` }, { IpcMode: `container:${id}` }]) {
    expect(words(await output({ ...sh("cat /proc/self/uid_map"), HostConfig }))).toBe(mapped);
  }
  await remove(rig.client, id);
});

test("a container outlives its engine, and the next one reaches it; without the key its root is left alone", async () => {
  const id = await run(rig.client, sh("sleep 1000"));
  await rig.program.stop();
  await using next = await startEngine({ isolate: rig.netns, root, args: ["--config", file] });
  const client = new EngineClient({ kind: "socket", path: next.socket });
  expect(words(await exec(client, id, "touch /after; cat /proc/self/uid_map; stat -c %u /after"))).toBe(`${mapped} 0`);
  await client.call("POST", `/containers/${id}/stop`, { query: { t: 0 } });
  await next[Symbol.asyncDispose]();
  await using plain = await startEngine({ isolate: rig.netns, root });
  const bare = new EngineClient({ kind: "socket", path: plain.socket });
  await expect(bare.call("POST", `/containers/${id}/start`)).rejects.toThrow('daemon.json does not say "userns-remap" any more');
  expect((await inspect(bare, id)).State.Status).toBe("exited");
  await remove(bare, id);
});
