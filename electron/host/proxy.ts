import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Duplex } from "node:stream";
import { messageOf } from "#base/errors.ts";
import { serveSocket } from "#machine/serve.ts";
import type { Dial } from "./engine.ts";

/**
 * Serves the Docker API on a local socket (or Windows pipe) by carrying bytes to the engine, each connection over one
 * of `dial`'s. A client that comes while there is no engine is told why in HTTP, so that the CLI shows the reason.
 */
export async function serveDockerSocket(opts: { readonly path: string; readonly dial: Dial }): Promise<AsyncDisposable> {
  if (!opts.path.startsWith("\\\\")) await mkdir(dirname(opts.path), { recursive: true, mode: 0o700 });
  const closing = new AbortController();
  const served = await serveSocket(opts.path, () => opts.dial({ signal: closing.signal }).catch((error: unknown) => refusal(error)));
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** Stands in for the engine: answers the first request with 503 and the reason, as dockerd words its errors. */
function refusal(error: unknown): Duplex {
  const body = `${JSON.stringify({ message: messageOf(error) })}\n`;
  const answer = `HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
  let answered = false;
  const stream = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(_bytes, _encoding, done) {
      // Only once the client has spoken: an answer nobody asked for is a broken connection to an HTTP client.
      if (!answered) {
        answered = true;
        stream.push(answer);
        stream.push(null);
      }
      done();
    },
  });
  return stream;
}
