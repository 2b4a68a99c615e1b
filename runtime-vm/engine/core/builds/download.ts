import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import { Readable } from "node:stream";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";

const redirectsMax = 10;
const headBytes = 512;

/** The answer to a GET, redirects followed. The caller reads or destroys it. Any port will do, which fetch does not allow. */
export async function download(address: string, signal: AbortSignal): Promise<IncomingMessage> {
  let url = new URL(address);
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const answer = await getOnce(url, address, signal);
    const location = answer.headers.location;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0)) return answer;
    answer.destroy();
    url = new URL(location, url);
  }
  throw new EngineError("unavailable", `Get ${JSON.stringify(address)}: stopped after ${redirectsMax} redirects`);
}

function getOnce(url: URL, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new EngineError("invalidArgument", `Get ${JSON.stringify(address)}: unsupported protocol scheme`);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? getSecure : getPlain)(url, { signal, headers: { "User-Agent": "slipway" } }, resolve);
    request.on("error", (error) => {
      if (signal.aborted) return reject(error);
      const refused = codeOf(error) === "ECONNREFUSED" ? `dial tcp ${url.host}: connect: connection refused` : messageOf(error);
      reject(new EngineError("unavailable", `Get ${JSON.stringify(address)}: ${refused}`, { cause: error }));
    });
  });
}

/** The first bytes of a stream, enough to tell what it is, and all of it. */
export async function beginningOf(from: Readable): Promise<{ head: Buffer; whole: Readable }> {
  const chunks = from[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const read: Buffer[] = [];
  for (let bytes = 0; bytes < headBytes; ) {
    const next = await chunks.next();
    if (next.done === true) break;
    read.push(next.value);
    bytes += next.value.length;
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* read;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  };
  return { head: Buffer.concat(read), whole: Readable.from(whole()) };
}
