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
/** With sizes and lines between them that nobody needs a body in chunks is longer than what it says. */
const wireBytesMax = 2 * limits.requestJsonBytesMax;

const malformed = (): EngineError => new EngineError("invalidArgument", "malformed chunked encoding");

/** RFC 9112, 7.1: chunks with their sizes before them, then lines that nobody needs, then an empty one. It goes on where it stopped. */
export function chunked(): BodyReader {
  const pieces: Buffer[] = [];
  let total = 0;
  let next = 0;
  let isOver = false;
  return (bytes) => {
    if (bytes.length > wireBytesMax) throw bodyTooLarge();
    for (let line = lineAt(bytes, next); line !== undefined; line = lineAt(bytes, next)) {
      if (isOver) {
        next = line.end;
        if (line.text === "") return { body: Buffer.concat(pieces), rest: bytes.subarray(next) };
        continue;
      }
      const size = /^[0-9a-f]{1,8}(?=[ \t]*(;|$))/i.exec(line.text)?.[0];
      if (size === undefined) throw malformed();
      const end = line.end + Number.parseInt(size, 16);
      isOver = end === line.end;
      if (total + end - line.end > limits.requestJsonBytesMax) throw bodyTooLarge();
      if (!isOver && bytes.length < end + 2) return undefined;
      if (!isOver && bytes.toString("latin1", end, end + 2) !== "\r\n") throw malformed();
      // A copy: what has come so far is put together anew each time that more comes.
      pieces.push(Buffer.from(bytes.subarray(line.end, end)));
      total += end - line.end;
      next = isOver ? end : end + 2;
    }
    return undefined;
  };
}

/** The line that begins there; undefined while its end is not. */
function lineAt(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  const end = bytes.indexOf("\r\n", at);
  if ((end < 0 ? bytes.length : end) - at > lineBytesMax) throw malformed();
  return end < 0 ? undefined : { text: bytes.toString("latin1", at, end), end: end + 2 };
}

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
