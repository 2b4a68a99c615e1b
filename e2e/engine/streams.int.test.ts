import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerStats } from "#api/stats.ts";
import { EngineClient } from "#client/client.ts";
import { type Rig, create, frames, inspect, logs, openRig, remove, run, sh, until, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("st");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const all = { stream: 1, stdin: 1, stdout: 1, stderr: 1 };
const interactive = { AttachStdin: true, OpenStdin: true, StdinOnce: true };

describe("attach", () => {
  test("the client's half-close is the program's end of input, and all of its output still comes", async () => {
    const id = await create(client, { ...sh("cat; echo done; echo err >&2"), ...interactive });
    const { stream, multiplexed } = await client.hijack(`/containers/${id}/attach`, { query: all });
    expect(multiplexed).toBe(true);
    await client.call("POST", `/containers/${id}/start`);
    const input = "0123456789".repeat(20_000);
    stream.end(input);
    const { stdout, stderr } = await frames(stream);
    expect(stdout.length).toBe(input.length + "done\n".length);
    expect(stdout.endsWith("done\n")).toBe(true);
    expect(stderr).toBe("err\n");
    expect(await wait(client, id)).toBe(0);
    await remove(client, id);
  });

  test("a client that came before the start sees the first byte", async () => {
    const id = await create(client, sh("echo first; echo second"));
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stdout: 1 } });
    await client.call("POST", `/containers/${id}/start`);
    expect((await frames(stream)).stdout).toBe("first\nsecond\n");
    await remove(client, id);
  });

  test("the end of the output ends the connection although the client never half-closes", async () => {
    const id = await create(client, { ...sh("echo bye"), ...interactive });
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: all });
    await client.call("POST", `/containers/${id}/start`);
    expect((await frames(stream)).stdout).toBe("bye\n");
    stream.destroy();
    await remove(client, id);
  });

  test("logs=1 gives what was printed before, then what comes, once each", async () => {
    const id = await run(client, { ...sh("echo before; read line; echo after $line"), OpenStdin: true, StdinOnce: true });
    await expect.poll(() => logs(client, id)).toMatchObject({ stdout: "before\n" });
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: { ...all, logs: 1 } });
    stream.write("x\n");
    expect((await frames(stream)).stdout).toBe("before\nafter x\n");
    await remove(client, id);
  });

  test("a terminal is raw, has the size asked for, and is left by the detach keys with the program running on", async () => {
    const id = await create(client, { Cmd: ["sh"], Tty: true, OpenStdin: true, HostConfig: { ConsoleSize: [33, 101] } });
    const { stream, multiplexed } = await client.hijack(`/containers/${id}/attach`, { query: all });
    expect(multiplexed).toBe(false);
    await client.call("POST", `/containers/${id}/start`);
    stream.write("stty size\n");
    await until(stream, "33 101");
    await client.call("POST", `/containers/${id}/resize`, { query: { h: 44, w: 120 } });
    stream.write("stty size\n");
    await until(stream, "44 120");
    stream.write("\x10\x11");
    stream.resume();
    await new Promise((resolve) => stream.once("end", resolve));
    expect((await inspect(client, id)).State.Running).toBe(true);
    await remove(client, id);
  });

  test("two clients see the same output", async () => {
    const id = await create(client, sh("for i in 1 2 3 4 5; do echo $i; done"));
    const both = await Promise.all([1, 2].map(() => client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stdout: 1 } })));
    await client.call("POST", `/containers/${id}/start`);
    const seen = await Promise.all(both.map(({ stream }) => frames(stream)));
    expect(seen.map(({ stdout }) => stdout)).toEqual(["1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n"]);
    await remove(client, id);
  });

  test("a client that never reads does not hold the program up", async () => {
    const id = await create(client, sh("head -c 20000000 /dev/zero; exit 6"));
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stdout: 1 } });
    stream.pause();
    await client.call("POST", `/containers/${id}/start`);
    expect(await wait(client, id)).toBe(6);
    await remove(client, id);
    stream.destroy();
  });

  test("a client that is gone in the middle leaves the program running", async () => {
    const id = await run(client, { ...sh("while read line; do echo got $line; done; sleep 100"), OpenStdin: true });
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: all });
    stream.write("x\n");
    await until(stream, "got x");
    stream.destroy();
    expect((await inspect(client, id)).State.Running).toBe(true);
    const again = await client.hijack(`/containers/${id}/attach`, { query: all });
    again.stream.write("y\n");
    await until(again.stream, "got y");
    again.stream.destroy();
    await remove(client, id);
  });

  test("without an upgrade the connection becomes raw after 200, and half-closes too", async () => {
    const id = await run(client, { Cmd: ["cat"], ...interactive });
    const socket = connect({ path: rig.program.socket, allowHalfOpen: true });
    socket.write(`POST /v1.51/containers/${id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
    const head = await until(socket, "\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: application\/vnd.docker.raw-stream\r\n\r\n$/);
    socket.end("echoed");
    expect((await frames(socket)).stdout).toBe("echoed");
    await remove(client, id);
  });

  test("before API 1.42 framed output is called raw", async () => {
    const id = await create(client, { Cmd: ["true"] });
    const old = await new EngineClient({ kind: "socket", path: rig.program.socket }, { version: "1.41" }).hijack(`/containers/${id}/attach`, {
      query: { stream: 1, stdout: 1 },
    });
    expect(old.multiplexed).toBe(false);
    old.stream.destroy();
    await remove(client, id);
  });
});

describe("exec", () => {
  let id = "";
  beforeAll(async () => {
    id = await run(client, { name: "host", Cmd: ["sleep", "1000"], Env: ["FROM=container"], WorkingDir: "/tmp" });
  });
  afterAll(() => remove(client, id));

  const exec = async (body: Record<string, unknown>): Promise<string> =>
    (await client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json: { AttachStdout: true, AttachStderr: true, ...body } })).Id;
  const exitCode = async (execId: string): Promise<number | null> => {
    await expect.poll(async () => (await client.json<{ Running: boolean }>("GET", `/exec/${execId}/json`)).Running).toBe(false);
    return (await client.json<{ ExitCode: number | null }>("GET", `/exec/${execId}/json`)).ExitCode;
  };

  test("half-closing ends its input; output, errors and exit code come through", async () => {
    const execId = await exec({ Cmd: ["sh", "-c", "cat; echo err >&2; exit 8"], AttachStdin: true });
    const { stream, multiplexed } = await client.hijack(`/exec/${execId}/start`, { json: { Detach: false, Tty: false } });
    expect(multiplexed).toBe(true);
    stream.end("input");
    expect(await frames(stream)).toEqual({ stdout: "input", stderr: "err\n" });
    expect(await exitCode(execId)).toBe(8);
  });

  test("it has the container's environment and directory, and its own on top", async () => {
    const execId = await exec({ Cmd: ["sh", "-c", "echo $FROM $OWN; pwd; id -u"], Env: ["OWN=exec"], User: "user", WorkingDir: "/www" });
    const { stream } = await client.hijack(`/exec/${execId}/start`, { json: {} });
    expect((await frames(stream)).stdout).toBe("container exec\n/www\n1000\n");
  });

  test("a terminal has the size asked for and is resized while it runs", async () => {
    const execId = await exec({ Cmd: ["sh"], Tty: true, AttachStdin: true });
    const { stream } = await client.hijack(`/exec/${execId}/start`, { json: { Tty: true, ConsoleSize: [20, 70] } });
    stream.write("stty size\n");
    await until(stream, "20 70");
    await client.call("POST", `/exec/${execId}/resize`, { query: { h: 21, w: 71 } });
    stream.write("stty size\n");
    await until(stream, "21 71");
    stream.write("exit 4\n");
    stream.resume();
    expect(await exitCode(execId)).toBe(4);
  });

  test("a command that cannot run says why in the stream, with the shell's exit code", async () => {
    const execId = await exec({ Cmd: ["no-such-program"] });
    const { stream } = await client.hijack(`/exec/${execId}/start`, { json: {} });
    expect((await frames(stream)).stdout).toMatch(/^OCI runtime exec failed: .*executable file not found in \$PATH.*\r\n$/);
    expect(await exitCode(execId)).toBe(127);
  });

  test("it runs once, detached or not, and not where nothing runs", async () => {
    const execId = await exec({ Cmd: ["touch", "/tmp/detached"] });
    await client.call("POST", `/exec/${execId}/start`, { json: { Detach: true } });
    expect(await exitCode(execId)).toBe(0);
    await expect(client.call("POST", `/exec/${execId}/start`, { json: { Detach: true } })).rejects.toMatchObject({ class: "conflict" });
    const stopped = await create(client, { Cmd: ["true"] });
    await expect(client.call("POST", `/containers/${stopped}/exec`, { json: { Cmd: ["true"] } })).rejects.toMatchObject({
      class: "conflict",
      message: `container ${stopped} is not running`,
    });
    await remove(client, stopped);
  });

  test("a hundred at once all answer", async () => {
    const runs = Array.from({ length: 100 }, async (_, i) => {
      const execId = await exec({ Cmd: ["echo", String(i)] });
      const { stream } = await client.hijack(`/exec/${execId}/start`, { json: {} });
      return (await frames(stream)).stdout;
    });
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}\n`));
  });
});

describe("logs", () => {
  test("streams, tail, since and until choose; timestamps are strictly increasing", async () => {
    const id = await run(client, sh("echo one; echo two >&2; sleep 0.3; echo three"));
    await wait(client, id);
    expect(await logs(client, id)).toEqual({ stdout: "one\nthree\n", stderr: "two\n" });
    expect(await logs(client, id, { stderr: 0 })).toEqual({ stdout: "one\nthree\n", stderr: "" });
    expect(await logs(client, id, { tail: 1 })).toEqual({ stdout: "three\n", stderr: "" });
    const stamped = await logs(client, id, { timestamps: 1 });
    const times = stamped.stdout
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "");
    expect(times[0] !== undefined && times[1] !== undefined && times[0] < times[1]).toBe(true);
    expect(await logs(client, id, { until: 1 })).toEqual({ stdout: "", stderr: "" });
    expect(await logs(client, id, { since: Math.floor(Date.now() / 1_000) + 100 })).toEqual({ stdout: "", stderr: "" });
    await remove(client, id);
  });

  test("following ends with the program", async () => {
    const id = await run(client, sh("echo a; sleep 0.5; echo b"));
    expect((await logs(client, id, { follow: 1 })).stdout).toBe("a\nb\n");
    await remove(client, id);
  });

  test("with driver none they cannot be read, and attach still works", async () => {
    const id = await create(client, { ...sh("echo unkept"), HostConfig: { LogConfig: { Type: "none" } } });
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stdout: 1 } });
    await client.call("POST", `/containers/${id}/start`);
    expect((await frames(stream)).stdout).toBe("unkept\n");
    await expect(logs(client, id)).rejects.toMatchObject({ class: "notImplemented", message: "configured logging driver does not support reading" });
    await remove(client, id);
  });
});

describe("figures", () => {
  test("stats stream once a second with the reading before; once gives one; of a stopped container it is empty", async () => {
    const id = await run(client, sh("while :; do :; done"));
    const seen: ContainerStats[] = [];
    const stop = new AbortController();
    for await (const stats of client.lines<ContainerStats>("GET", `/containers/${id}/stats`, { signal: stop.signal })) {
      seen.push(stats);
      if (seen.length === 2) stop.abort();
    }
    expect(seen[1]?.preread).toBe(seen[0]?.read);
    const [usage, before] = [seen[1]?.cpu_stats.cpu_usage.total_usage ?? 0, seen[1]?.precpu_stats.cpu_usage.total_usage ?? 0];
    expect(usage).toBeGreaterThan(before);
    const once = await client.json<ContainerStats>("GET", `/containers/${id}/stats`, { query: { stream: 0, "one-shot": 1 } });
    expect(once).toMatchObject({ preread: "0001-01-01T00:00:00Z" });
    expect(once).not.toHaveProperty("id");
    expect(once.networks?.["eth0"]).toBeDefined();
    const top = await client.json<{ Titles: string[]; Processes: string[][] }>("GET", `/containers/${id}/top`, { query: { ps_args: "-o pid,comm" } });
    expect(top.Titles).toEqual(["PID", "COMMAND"]);
    expect(top.Processes.map(([, command]) => command)).toEqual(["sh"]);
    await client.call("POST", `/containers/${id}/kill`);
    expect(await client.json<ContainerStats>("GET", `/containers/${id}/stats`, { query: { stream: 0 } })).toMatchObject({
      read: "0001-01-01T00:00:00Z",
      memory_stats: {},
    });
    await remove(client, id);
  });
});

test("an answer is whole for a client that speaks HTTP/1.0 and closes", async () => {
  const socket = connect({ path: rig.program.socket, allowHalfOpen: true });
  socket.write("GET /_ping HTTP/1.0\r\n\r\n");
  expect(await text(socket)).toMatch(/\r\n\r\nOK$/);
});
