import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { limits } from "#base/limits.ts";
import { bodyTooLarge } from "./body.ts";

/** A request's body, and what came after it. */
export interface EarlyBody {
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** Finds a body's end in what has come so far; undefined while it is not there. Throws at what is no body. */
type BodyReader = (bytes: Buffer) => EarlyBody | undefined;

export const sized =
  (length: number): BodyReader =>
  (bytes) =>
    bytes.length < length ? undefined : { body: bytes.subarray(0, length), rest: bytes.subarray(length) };

const lineBytesMax = 1024;

/** RFC 9112, 7.1: chunks with their sizes before them, then lines that nobody needs, then an empty one. */
export const chunked: BodyReader = (bytes) => {
  const pieces: Buffer[] = [];
  let total = 0;
  let at = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0 && bytes.length - at <= lineBytesMax) return undefined;
    if (end < 0 || end - at > lineBytesMax) throw new EngineError("invalidArgument", "malformed chunked encoding");
    const text = bytes.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  for (let head = line(); ; head = line()) {
    if (head === undefined) return undefined;
    const size = /^[0-9a-f]{1,8}(?=[ \t]*(;|$))/i.exec(head)?.[0];
    if (size === undefined) throw new EngineError("invalidArgument", "malformed chunked encoding");
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    total += length;
    if (total > limits.requestJsonBytesMax) throw bodyTooLarge();
    if (bytes.length < at + length + 2) return undefined;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
    if (line() !== "") throw new EngineError("invalidArgument", "malformed chunked encoding");
  }
  for (let trailer = line(); trailer !== ""; trailer = line()) if (trailer === undefined) return undefined;
  return { body: Buffer.concat(pieces), rest: bytes.subarray(at) };
};

/** The body that begins with `head`; undefined when the client went before its end, or said nothing for `idleMsMax`. */
export async function withBody(socket: Duplex, head: Buffer, read: BodyReader, idleMsMax: number): Promise<EarlyBody | undefined> {
  const found = read(head);
  if (found !== undefined) return found;
  let bytes = head;
  return await new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(patience);
      socket.off("data", more).off("close", gone).off("end", gone).off("error", gone);
      socket.pause();
    };
    const more = (chunk: Buffer): void => {
      patience.refresh();
      bytes = Buffer.concat([bytes, chunk]);
      try {
        const whole = read(bytes);
        if (whole === undefined) return;
        settle();
        resolve(whole);
      } catch (error) {
        settle();
        reject(error);
      }
    };
    const gone = (): void => {
      settle();
      resolve(undefined);
    };
    const patience = setTimeout(gone, idleMsMax);
    socket.on("data", more).on("close", gone).on("end", gone).on("error", gone);
  });
}
