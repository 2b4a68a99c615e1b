import type { ServerResponse } from "node:http";
import { type Duplex, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError, isDiskFull, messageOf } from "#base/errors.ts";
import type { Answer } from "./router.ts";
import { statusOf } from "./status.ts";

/** The status and the sentence of whatever a handler threw. */
export function failure(error: unknown): { status: number; message: string } {
  if (isOfFullDisk(error)) return { status: 500, message: `${diskFull}${detailOf(error)}` };
  if (error instanceof EngineError) return { status: statusOf[error.class], message: error.message };
  if (error instanceof URIError) return { status: 400, message: "the path is no sound percent-encoding" };
  return { status: 500, message: messageOf(error) };
}

const diskFull = "no space left on device: the engine's data disk is full; free some with `docker system prune`, or enlarge it";
const sqliteFull = 13;

/** Whatever said it: a system call, the database, or what was made of either. */
function isOfFullDisk(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isDiskFull(at) || ("errcode" in at && at.errcode === sqliteFull)) return true;
  }
  return false;
}

const detailOf = (error: unknown): string => (error instanceof EngineError ? ` (${error.message})` : "");

/** Writes an answer the ordinary way. */
export async function sendAnswer(response: ServerResponse, answer: Answer, headOnly: boolean): Promise<void> {
  const sent = bodyOf(answer);
  const headers: Record<string, string | number> = { ...(sent.type === undefined ? {} : { "Content-Type": sent.type }), ...answer.headers };
  if (answer.stream !== undefined && !headOnly) {
    response.writeHead(answer.status, headers).flushHeaders();
    await pipeline(answer.stream, bodyStream(response));
    return;
  }
  if (answer.status !== 204 && answer.status !== 304) headers["Content-Length"] = headOnly ? 0 : Buffer.byteLength(sent.text ?? "");
  response.writeHead(answer.status, headers).end(headOnly ? undefined : sent.text);
}

/** Takes the next piece when the one before is through: they may come in the same memory. */
function bodyStream(response: ServerResponse): Writable {
  const body = new Writable({
    highWaterMark: 1,
    decodeStrings: false,
    write: (piece: Uint8Array | string, _encoding, done) => void response.write(piece, done),
    final: (done) => void response.end(done),
    destroy: (error, done) => {
      if (error) response.destroy();
      done(error);
    },
  });
  if (response.destroyed) body.destroy();
  else response.once("close", () => body.destroy());
  return body;
}

/** An ordinary answer on a connection that asked to upgrade: written by hand, and the connection ends. */
export async function sendRaw(socket: Duplex | undefined, answer: Answer): Promise<void> {
  if (socket === undefined || socket.destroyed) return;
  const sent = bodyOf(answer);
  const headers = {
    "Content-Type": sent.type ?? "application/json",
    ...answer.headers,
    "Content-Length": Buffer.byteLength(sent.text ?? ""),
    Connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${answer.status < 400 ? "OK" : "Error"}\r\n${lines.join("")}\r\n${sent.text ?? ""}`);
}

function bodyOf(answer: Answer): { type?: string; text?: string } {
  // Go's encoder ends a document with a newline, and some clients read by line.
  if (answer.json !== undefined) return { type: "application/json", text: `${JSON.stringify(answer.json)}\n` };
  if (answer.text !== undefined) return { type: "text/plain; charset=utf-8", text: answer.text };
  return answer.stream === undefined ? {} : { type: "application/json" };
}
