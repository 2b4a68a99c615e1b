import type { IncomingMessage } from "node:http";
import { EngineError } from "#base/errors.ts";
import { limits } from "#base/limits.ts";
import { type Shape, decodeBody } from "#api/decode.ts";

/** Reads and decodes a request's JSON body as dockerd's httputils.ReadJSON does. `rest` are body bytes already taken off the connection. */
export async function readJson(request: IncomingMessage, shape: Shape, idleMsMax: number, rest?: Buffer): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  const empty = request.headers["content-length"] === "0" || (request.headers["content-length"] === undefined && !isChunked(request));
  if (type === "" && empty) return undefined;
  checkContentType(type);
  if (empty) return undefined;
  const text = (rest ?? (await readAll(request, idleMsMax))).toString("utf8");
  if (text.trim() === "") throw new EngineError("invalidArgument", "invalid JSON: got EOF while reading request body");
  return decodeBody(text, shape);
}

export const isChunked = (request: IncomingMessage): boolean => request.headers["transfer-encoding"] !== undefined;

function checkContentType(header: string): void {
  const type = header.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "") throw new EngineError("invalidArgument", "malformed Content-Type header (): mime: no media type");
  if (!/^[^\s/]+(\/[^\s/]+)?$/.test(type)) {
    throw new EngineError("invalidArgument", `malformed Content-Type header (${header}): mime: expected slash after first token`);
  }
  if (type !== "application/json") throw new EngineError("invalidArgument", `unsupported Content-Type header (${header}): must be 'application/json'`);
}

export const bodyTooLarge = (): EngineError =>
  new EngineError("invalidArgument", `the request body is larger than the ${limits.requestJsonBytesMax} bytes accepted as JSON`);

/** A client that fell silent within its body: nothing more is read from it. */
export class SilentClient extends EngineError {
  constructor(ms: number) {
    super("invalidArgument", `the request body stopped before its end: nothing came for ${ms / 1000} s`);
  }
}

/** The whole body. Past the limit the rest is still read, and dropped, so that the client gets to read why it is refused. */
function readAll(request: IncomingMessage, idleMsMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise<Buffer>((resolve, reject) => {
    const patience = setTimeout(() => reject(new SilentClient(idleMsMax)), idleMsMax);
    request.once("close", () => clearTimeout(patience));
    request.once("end", () => clearTimeout(patience));
    request.on("data", (chunk: Buffer) => {
      patience.refresh();
      length += chunk.length;
      if (length <= limits.requestJsonBytesMax) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(bodyTooLarge());
      }
    });
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("error", reject);
    request.once("close", () => reject(new EngineError("cancelled", "the client went before its request was whole")));
  });
}
