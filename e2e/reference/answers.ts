import { request } from "node:http";
import type { Case } from "./cases.ts";

export interface Answer {
  readonly status: number;
  /** `message` of the error body; absent for answers that are none. */
  readonly message?: string;
}

/** Sends one case to the engine at `socket`. */
export function answerOf(socket: string, one: Case): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = one.raw ?? (one.body === undefined ? undefined : JSON.stringify(one.body));
    const headers = text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(text)) };
    const sent = request({ socketPath: socket, method: one.method, path: one.path, headers, timeout: 20_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          ...messageIn(
            Buffer.concat(chunks)
              .toString()
              .replaceAll(/[0-9a-f]{64}/g, "<id>"),
          ),
        }),
      );
    });
    sent.on("timeout", () => sent.destroy(new Error(`${one.name}: no answer`)));
    sent.on("error", reject);
    sent.end(text);
  });
}

/** The error's sentence: `message` of a JSON body, or the body itself, which is how old and hijacking paths answer. */
function messageIn(body: string): { message?: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null && "message" in parsed && typeof parsed.message === "string" ? { message: parsed.message.trim() } : {};
  } catch {
    return body.trim() === "" ? {} : { message: body.trim() };
  }
}

/** Makes what the cases need: the image, and a created container named `still`. */
export async function prepare(socket: string, archive: Buffer): Promise<void> {
  await load(socket, archive);
  const made = await answerOf(socket, {
    name: "setup",
    method: "POST",
    path: "/v1.51/containers/create?name=still",
    body: { Image: "busybox:latest", Cmd: ["sleep", "60"] },
  });
  if (made.status !== 201) throw new Error(`the container for the cases was not created: ${made.status} ${made.message}`);
}

function load(socket: string, archive: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath: socket,
        method: "POST",
        path: "/v1.51/images/load?quiet=1",
        headers: { "Content-Type": "application/x-tar", "Content-Length": String(archive.length) },
      },
      (answer) => {
        answer.resume();
        answer.on("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error(`images/load: ${answer.statusCode}`))));
      },
    );
    sent.on("error", reject);
    sent.end(archive);
  });
}
