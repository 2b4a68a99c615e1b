import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { ContainerCreateRequest, ContainerInspect } from "#api/containers.ts";
import type { EventMessage } from "#api/events.ts";
import { FrameReader } from "#api/stdcopy.ts";
import { isClass } from "#base/errors.ts";
import { EngineClient } from "#client/client.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startEngine } from "../fixtures/program.ts";

/** An engine of its own with the image busybox, and the API client that talks to it. */
export interface Rig extends AsyncDisposable {
  readonly program: Program;
  readonly netns: string;
  readonly client: EngineClient;
}

export async function openRig(
  name: string,
  opts: { root?: string; args?: readonly string[]; images?: Parameters<typeof dockerArchive>[0] } = {},
): Promise<Rig> {
  const netns = `slipway-${name}${process.pid}`;
  const program = await startEngine({
    isolate: netns,
    ...(opts.root === undefined ? {} : { root: opts.root }),
    ...(opts.args === undefined ? {} : { args: opts.args }),
  });
  const client = new EngineClient({ kind: "socket", path: program.socket });
  await load(client, [await busybox("busybox:latest"), ...(opts.images ?? [])]);
  return { program, netns, client, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

async function load(client: EngineClient, images: Parameters<typeof dockerArchive>[0]): Promise<void> {
  const archive = await dockerArchive(images);
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
    await Promise.resolve();
  };
  await call(client, "POST", "/images/load", { query: { quiet: 1 }, body: chunks() });
}

/** Reads an answer to its end and forgets it. */
export async function call(client: EngineClient, ...args: Parameters<EngineClient["stream"]>): Promise<void> {
  const { body } = await client.stream(...args);
  body.resume();
  await once(body, "end");
}

type Created = Partial<ContainerCreateRequest> & { readonly name?: string };

/** Creates a container of busybox; returns its id. */
export async function create(client: EngineClient, { name, ...body }: Created): Promise<string> {
  const { Id } = await client.json<{ Id: string }>("POST", "/containers/create", { query: { name }, json: { Image: "busybox", ...body } });
  return Id;
}

export async function run(client: EngineClient, body: Created): Promise<string> {
  const id = await create(client, body);
  await client.call("POST", `/containers/${id}/start`);
  return id;
}

export const sh = (script: string): { Cmd: string[] } => ({ Cmd: ["sh", "-c", script] });

export const inspect = (client: EngineClient, id: string): Promise<ContainerInspect> => client.json("GET", `/containers/${id}/json`);

export const remove = (client: EngineClient, id: string): Promise<void> => client.call("DELETE", `/containers/${id}`, { query: { force: 1, v: 1 } });

/** One that removes itself may be gone before we come to it, or be on its way. */
export function unlessGone(error: unknown): void {
  if (!isClass(error, "notFound") && !isClass(error, "conflict")) throw error;
}

export async function wait(client: EngineClient, id: string, condition = "not-running"): Promise<number> {
  const { StatusCode } = await client.json<{ StatusCode: number }>("POST", `/containers/${id}/wait`, { query: { condition } });
  return StatusCode;
}

/** Both streams of a framed connection, to its end. */
export async function frames(stream: AsyncIterable<Buffer>): Promise<{ stdout: string; stderr: string }> {
  const reader = new FrameReader();
  const text = { stdin: "", stdout: "", stderr: "", systemerr: "" };
  for await (const chunk of stream) for (const { stream: name, payload } of reader.push(chunk)) text[name] += Buffer.from(payload).toString();
  return { stdout: text.stdout, stderr: text.stderr };
}

export async function logs(client: EngineClient, id: string, query: Record<string, string | number> = {}): Promise<{ stdout: string; stderr: string }> {
  const { body } = await client.stream("GET", `/containers/${id}/logs`, { query: { stdout: 1, stderr: 1, ...query } });
  return await frames(body);
}

/** Reads from a raw stream until `wanted` has come. */
export async function until(stream: Duplex, wanted: string | RegExp): Promise<string> {
  let seen = "";
  const found = (): boolean => (typeof wanted === "string" ? seen.includes(wanted) : wanted.test(seen));
  while (!found()) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) seen += chunk.toString();
    else if (stream.readableEnded || stream.destroyed) throw new Error(`the stream ended before ${String(wanted)}: ${JSON.stringify(seen)}`);
    else await new Promise<void>((resolve) => finishedOr(stream, resolve));
  }
  return seen;
}

/** Calls back once when there is something to read, or nothing will come any more. */
function finishedOr(stream: Duplex, resolve: () => void): void {
  const names = ["readable", "close", "end", "error"];
  const done = (): void => {
    for (const name of names) stream.off(name, done);
    resolve();
  };
  for (const name of names) stream.on(name, done);
}

/** What happened to containers (and whatever `filters` asks for) from now on, until disposed. */
export function events(client: EngineClient, filters: Record<string, string[]> = {}): { readonly seen: EventMessage[]; ready: Promise<void>; stop(): void } {
  const stop = new AbortController();
  const seen: EventMessage[] = [];
  const answer = client.stream("GET", "/events", { query: { filters: JSON.stringify(filters) }, signal: stop.signal });
  const reading = answer.then(async ({ body }) => {
    let rest = "";
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) seen.push(JSON.parse(line) as EventMessage);
    }
  });
  reading.catch(() => undefined);
  return { seen, ready: answer.then(() => undefined), stop: () => stop.abort() };
}
