import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Holdings, holdings, atRest } from "../fixtures/leaks.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { Dice, type FuzzRequest, fuzzRequest } from "./fuzz-requests.ts";
import { type Rig, call, logs, openRig, remove, run, sh, unlessGone, wait } from "./rig.ts";

const count = process.env["SLIPWAY_TEST_LONG"] === "1" ? 10_000 : 500;
/** Requests under way together. */
const atOnce = 5;
/** Answers that stream, or wait for something, are looked at no longer than this. */
const patienceMs = 150;
const answerMsMax = 60_000;
const stopMsMax = 2_000;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? 20_261_125);

let rig: Rig;
let archive: Buffer;
beforeAll(async () => {
  archive = await dockerArchive([await busybox("busybox:latest")]);
  rig = await openRig("fuzz");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

interface Outcome {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly whole: boolean;
}

function send({ method, path, headers, body }: FuzzRequest): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let sent: ClientRequest;
    try {
      sent = request({
        socketPath: rig.program.socket,
        method,
        path,
        headers: { ...headers, ...(body === undefined ? {} : { "Content-Length": body.length }) },
      });
    } catch {
      // Node's client will not send such a path.
      return resolve({ status: 0, type: "", body: "", whole: true });
    }
    let heard = false;
    const answered = (answer: IncomingMessage): void => {
      heard = true;
      const chunks: Buffer[] = [];
      const done = (whole: boolean): void => {
        resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", body: Buffer.concat(chunks).toString(), whole });
        sent.destroy();
      };
      const patience = setTimeout(() => done(false), patienceMs);
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("close", () => {
        clearTimeout(patience);
        done(answer.complete);
      });
      answer.on("error", () => {});
    };
    // What stops a container may wait for it without end, when that is asked for; a registry's name is looked up where there is no network.
    const mayWait = /\/(stop|restart|wait|auth|push|build)(\?|$)|\/distribution\/|\/images\/(search|create)/.test(path);
    const giveUp = (): void => {
      if (mayWait) resolve({ status: 0, type: "", body: "", whole: true });
      sent.destroy(new Error(`no answer to ${method} ${path} within ${answerMsMax / 1000} s`));
    };
    const given = setTimeout(giveUp, mayWait ? stopMsMax : answerMsMax);
    sent.on("close", () => {
      clearTimeout(given);
      if (!heard) resolve({ status: 0, type: "", body: "", whole: true });
    });
    sent.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, type: "", body: "", whole: true });
    });
    sent.on("response", answered);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE") resolve({ status: 0, type: "", body: "", whole: true });
      else reject(error);
    });
    sent.end(body);
  });
}

/** Why the answer is not as it should be; undefined when it is. */
function fault(one: FuzzRequest, outcome: Outcome): string | undefined {
  const reason = unsound(one, outcome);
  if (reason === undefined) return undefined;
  return `${reason}: ${one.method} ${one.path} ${(one.body ?? "").toString().slice(0, 400)} -> ${outcome.status} ${outcome.body.slice(0, 300)}`;
}

/** Failures that dockerd answers with 500, too: what only the runtime finds out, and archives that break off. */
const theirs = ["failed to create task for container: ", "the archive is damaged"];

function unsound({ method }: FuzzRequest, { status, type, body, whole }: Outcome): string | undefined {
  if (status === 500 && !theirs.some((sentence) => body.includes(sentence))) return "500 for bad input";
  if (status < 400 || method === "HEAD") return undefined;
  if (!whole) return "a refusal that does not end";
  if (!type.startsWith("application/json")) return `a refusal of type ${type}`;
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === "string" && message !== "" ? undefined : "a refusal without a message";
  } catch {
    return "a refusal that is no JSON";
  }
}

async function everything(): Promise<string[]> {
  const containers = await rig.client.json<{ Id: string; Names: string[] }[]>("GET", "/containers/json", { query: { all: 1 } });
  return containers.flatMap(({ Id, Names }) => [Id, Id.slice(0, 12), (Names[0] ?? "").slice(1)]);
}

/** As it was at first: nothing but the image, which the fuzzer may have deleted. */
async function sweep(): Promise<void> {
  for (const { Id } of await rig.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } }))
    await remove(rig.client, Id).catch(unlessGone);
  const networks = await rig.client.json<{ Name: string }[]>("GET", "/networks");
  for (const { Name } of networks) if (!["bridge", "host", "none"].includes(Name)) await rig.client.call("DELETE", `/networks/${encodeURIComponent(Name)}`);
  const { Volumes } = await rig.client.json<{ Volumes: { Name: string }[] }>("GET", "/volumes");
  for (const { Name } of Volumes) await rig.client.call("DELETE", `/volumes/${encodeURIComponent(Name)}`, { query: { force: 1 } });
  for (const { Id } of await rig.client.json<{ Id: string }[]>("GET", "/images/json"))
    await call(rig.client, "DELETE", `/images/${Id}`, { query: { force: 1 } });
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
    await Promise.resolve();
  };
  await call(rig.client, "POST", "/images/load", { query: { quiet: 1 }, body: whole() });
}

/** What lies between no layers at all and the roots of images that have none (imported empty): made once, at most. */
const bareOutfit = createHash("sha256").digest("hex");
/** How many hot shims there are is the engine's affair, and so are directories that it makes once, when it first needs them. */
const here = (): Holdings => {
  const all = holdings({ socket: rig.program.socket, root: rig.program.root, netns: rig.netns });
  return {
    ...all,
    files: all.files.filter((path) => !/^\/run\/(shims\/hot-|views$|layers\/empty$)/.test(path) && !path.startsWith(`/run/outfits/${bareOutfit}`)),
  };
};
const descriptors = (): number => readdirSync(`/proc/${daemonOf(rig.program.socket)}/fd`).length;

test(`${count} requests of seed ${seed} are each answered soundly, and leave nothing`, { timeout: count * 1_000 + 120_000 }, async () => {
  await sweep();
  const warm = await run(rig.client, { ...sh("true"), HostConfig: { AutoRemove: true } });
  await wait(rig.client, warm, "removed").catch(unlessGone);
  await expect.poll(everything).toEqual([]);
  const before = await atRest(here);
  const open = descriptors();
  const pid = daemonOf(rig.program.socket);
  const dice = new Dice(seed);
  const faults: string[] = [];
  for (let i = 0; i < count; i += atOnce) {
    if (i % 200 === 0) await sweep();
    const ids = await everything();
    const requests = Array.from({ length: atOnce }, () => fuzzRequest(dice, ids));
    const outcomes = await Promise.all(requests.map(send));
    faults.push(...outcomes.flatMap((outcome, at) => fault(requests[at] as FuzzRequest, outcome) ?? []));
  }
  expect(faults).toEqual([]);
  expect(daemonOf(rig.program.socket)).toBe(pid);
  await sweep();
  const id = await run(rig.client, sh("echo alive"));
  expect(await wait(rig.client, id)).toBe(0);
  expect((await logs(rig.client, id)).stdout).toBe("alive\n");
  await remove(rig.client, id);
  await expect.poll(here, { timeout: 30_000, interval: 500 }).toEqual(before);
  await expect.poll(descriptors, { timeout: 30_000, interval: 500 }).toBeLessThanOrEqual(open + 2);
});
