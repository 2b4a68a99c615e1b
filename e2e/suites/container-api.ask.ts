import { request } from "node:http";
import { delay } from "#base/deadline.ts";
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
  for (const step of one.steps) said.push(await answer(socket, step, name));
  await send(socket, { call: `DELETE /containers/${name}?force=1&v=1` });
  return said;
}

async function answer(socket: string, step: Step, name: string): Promise<Said> {
  const { body, ...rest } = step;
  const content = body === undefined ? {} : { body: JSON.parse(JSON.stringify(body).replaceAll("{n}", name)) as unknown };
  const filled = { ...rest, ...content, call: step.call.replaceAll("{n}", name) };
  const wanted = step.show?.[0];
  for (let tries = 0; ; tries += 1) {
    const { status, text } = await send(socket, filled);
    const plain = neutral(text.replaceAll(name, "{n}"));
    const json = parsed(plain);
    if (status >= 400) return { status, message: messageOf(json) ?? plain.trim() };
    const shown = Object.fromEntries((step.show ?? []).map((path) => [path, at(json, path) ?? null]));
    if (step.until === undefined || wanted === undefined || shown[wanted] === step.until) return step.show === undefined ? { status } : { status, shown };
    if (tries > 1_000) throw new Error(`${step.call}: ${wanted} never was ${JSON.stringify(step.until)}, but ${JSON.stringify(shown[wanted])}`);
    await delay(20);
  }
}

function send(socket: string, { call, body, raw }: Step): Promise<{ status: number; text: string }> {
  const [method = "", path = ""] = call.split(" ", 2);
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers = content === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content) };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, method, path: `/v1.51${path}`, headers, timeout: 60_000 }, (got) => {
      const chunks: Buffer[] = [];
      got.on("data", (chunk: Buffer) => chunks.push(chunk));
      got.on("error", reject);
      got.on("end", () => resolve({ status: got.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
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
