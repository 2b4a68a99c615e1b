import { type IncomingHttpHeaders, request } from "node:http";
import { delay } from "#base/deadline.ts";
import { FrameReader } from "#api/stdcopy.ts";
import type { ApiCase, Step } from "./container-api.case.ts";

/** What an engine said to one step. */
export interface Said {
  readonly status: number;
  readonly message?: string;
  readonly shown?: Readonly<Record<string, unknown>>;
}

/** Puts one case to the engine at `socket`, and removes its container. */
export async function askApi(socket: string, one: ApiCase, name: string): Promise<readonly Said[]> {
  if (one.make !== undefined) {
    const made = await send(socket, { call: `POST /containers/create?name=${name}`, body: { Image: "busybox", ...one.make } });
    if (made.status !== 201) throw new Error(`${one.name}: its container could not be made: ${made.text}`);
  }
  const said: Said[] = [];
  const names: Names = { name, kept: "" };
  for (const step of one.steps) said.push(await answer(socket, step, names));
  await send(socket, { call: `DELETE /containers/${name}?force=1&v=1` });
  return said;
}

/** What `{n}` and `{e}` stand for. */
interface Names {
  readonly name: string;
  kept: string;
}

async function answer(socket: string, step: Step, names: Names): Promise<Said> {
  const { body, call, ...rest } = step;
  const filled = (text: string): string => text.replaceAll("{n}", names.name).replaceAll("{e}", names.kept);
  const content = body === undefined ? {} : { body: JSON.parse(filled(JSON.stringify(body))) as unknown };
  const wanted = step.show?.[0];
  // Of what was not made there is nothing to ask.
  if (call.includes("{e}") && names.kept === "") return { status: 0 };
  for (let tries = 0; ; tries += 1) {
    const got = await send(socket, { ...rest, ...content, call: filled(call) });
    const { status, text } = got;
    const plain = neutral(text.replaceAll(names.name, "{n}"));
    const json = parsed(plain);
    if (status >= 400) return { status, message: messageOf(json) ?? plain.trim() };
    if (step.keep === true) names.kept = (JSON.parse(text) as { Id: string }).Id;
    if (step.output === true) return { status, shown: outputOf(got, names) };
    if (step.header !== undefined) return { status, shown: headerOf(got, step.header) };
    const shown = Object.fromEntries((step.show ?? []).map((path) => [path, at(json, path) ?? null]));
    if (step.until === undefined || wanted === undefined || shown[wanted] === step.until) return step.show === undefined ? { status } : { status, shown };
    if (tries > 1_000) throw new Error(`${step.call}: ${wanted} never was ${JSON.stringify(step.until)}, but ${JSON.stringify(shown[wanted])}`);
    await delay(20);
  }
}

function outputOf({ headers, bytes }: Sent, { name }: Names): Record<string, unknown> {
  const type = headers["content-type"] ?? "";
  const streams: Record<string, string> = {};
  if (!isFramed(bytes)) streams["raw"] = bytes.toString();
  else for (const { stream, payload } of new FrameReader().push(bytes)) streams[stream] = (streams[stream] ?? "") + Buffer.from(payload).toString();
  return { type, ...Object.fromEntries(Object.entries(streams).map(([stream, text]) => [stream, neutral(text.replaceAll(name, "{n}"))])) };
}

/** A frame begins with the number of its stream and three zeros; text does not. */
const isFramed = (bytes: Buffer): boolean => bytes.length >= 8 && (bytes[0] ?? 9) <= 3 && bytes.readUIntBE(1, 3) === 0;

function headerOf({ headers }: Sent, name: string): Record<string, unknown> {
  const value = headers[name.toLowerCase()];
  const { mtime: _mtime, ...rest } = JSON.parse(Buffer.from(String(value), "base64").toString()) as Record<string, unknown>;
  return rest;
}

interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

function send(socket: string, { call, body, raw }: Step): Promise<Sent> {
  const [method = "", path = ""] = call.split(" ", 2);
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers = content === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content) };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, method, path: `/v1.51${path}`, headers, timeout: 60_000 }, (got) => {
      const chunks: Buffer[] = [];
      got.on("data", (chunk: Buffer) => chunks.push(chunk));
      got.on("error", reject);
      got.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: got.statusCode ?? 0, headers: got.headers, bytes, text: bytes.toString() });
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`${call}: no answer`)));
    sent.on("error", reject);
    sent.end(content);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const messageOf = (json: unknown): string | undefined =>
  typeof json === "object" && json !== null && "message" in json && typeof json.message === "string" ? json.message.trim() : undefined;

const at = (json: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], json);

/** Ids, times, the data root and the runtime's own name. */
function neutral(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}(-busybox)?/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => (time.startsWith("0001") ? time : "<time>"))
    .replaceAll(/\b(crun|runc) create failed/g, "<runtime> create failed")
    .replaceAll(/\/[^\s"':]*\/<id>[^\s"':/]*(\/merged)?\//g, "<root>/");
}
