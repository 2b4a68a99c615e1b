import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EngineClient } from "#client/client.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { type Rig, create, frames, openRig, remove, run, sh, until } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("dr");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

/** Counts the engine's open descriptors. */
async function counter(): Promise<() => number> {
  // The kernel's list of sockets may miss one while others come and go.
  let pid: string | undefined;
  await expect.poll(() => (pid = daemonOf(rig.program.socket))).toMatch(/^\d+$/);
  return () => readdirSync(`/proc/${pid}/fd`).length;
}
const streams = { stream: 1, stdin: 1, stdout: 1, stderr: 1 } as const;

// dockerd 28.5 keeps two descriptors for each.
test("clients that break off while attached leave no descriptor", async () => {
  const id = await run(client, { ...sh("while read line; do echo got $line; done; sleep 1000"), OpenStdin: true });
  const attachAndBreakOff = async (): Promise<void> => {
    const { stream } = await client.hijack(`/containers/${id}/attach`, { query: streams });
    stream.write("x\n");
    await until(stream, "got x");
    stream.destroy();
  };
  await attachAndBreakOff();
  const descriptors = await counter();
  const before = descriptors();
  for (let i = 0; i < 10; i += 1) await attachAndBreakOff();
  await expect.poll(descriptors, { timeout: 15_000 }).toBeLessThanOrEqual(before);
  await remove(client, id);
});

test("clients that break off in an exec leave no descriptor once it has ended", async () => {
  const id = await run(client, { Cmd: ["sleep", "1000"] });
  const execAndBreakOff = async (): Promise<void> => {
    const asked = { Cmd: ["cat"], AttachStdin: true, AttachStdout: true, AttachStderr: true };
    const exec = await client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json: asked });
    const { stream } = await client.hijack(`/exec/${exec.Id}/start`, { json: {} });
    stream.write("x\n");
    await until(stream, "x");
    stream.destroy();
    await expect.poll(async () => (await client.json<{ Running: boolean }>("GET", `/exec/${exec.Id}/json`)).Running, { timeout: 15_000 }).toBe(false);
  };
  await execAndBreakOff();
  const descriptors = await counter();
  const before = descriptors();
  for (let i = 0; i < 5; i += 1) await execAndBreakOff();
  await expect.poll(descriptors, { timeout: 15_000 }).toBeLessThanOrEqual(before);
  await remove(client, id);
});

// dockerd 28.5 waits for such a client, and with it whoever removes the container.
test("a client that never reads holds up neither the program nor its removal", async () => {
  const id = await create(client, sh("head -c 20000000 /dev/zero; echo done >&2; exec sleep 1000"));
  const { stream } = await client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stdout: 1 } });
  stream.pause();
  const errors = await client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stderr: 1 } });
  await client.call("POST", `/containers/${id}/start`);
  await until(errors.stream, "done");
  const read = frames(errors.stream);
  await remove(client, id);
  await read;
  await expect(client.json("GET", `/containers/${id}/json`)).rejects.toMatchObject({ class: "notFound" });
  stream.destroy();
});
