import { createHash } from "node:crypto";
import { EngineError, isClass } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import { Reader, Writer } from "./proto.ts";
import type { Session } from "./session.ts";

const service = "/containerd.services.content.v1.Content";
const actions = { write: 1, commit: 2 } as const;
const pieceBytesMax = 512 * 1024;

const headers = (store: string): Record<string, string> => ({ "buildkit-attachable-store-id": store });

/** Puts a blob into a content store of the client's, unless it is there (containerd's content.proto). */
export async function writeContent(
  session: Session,
  store: string,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  if (!session.offers(`${service}/Write`)) throw new EngineError("invalidArgument", "the client offers no store to write into");
  if (await hasContent(session, store, digest, signal)) return;
  await using call = session.open(`${service}/Write`, headers(store), signal);
  const answers = call.messages[Symbol.asyncIterator]();
  const ref = `slipway-${digest}`;
  const say = async (message: Writer): Promise<void> => {
    await call.send(message.done());
    const answer = await answers.next();
    if (answer.done === true) throw new EngineError("unavailable", `${digest}: the client ended the transfer`);
  };
  let offset = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += pieceBytesMax) {
      const piece = chunk.subarray(at, at + pieceBytesMax);
      await say(new Writer().int(1, actions.write).text(2, ref).int(3, size).text(4, digest).int(5, offset).bytes(6, piece));
      offset += piece.length;
    }
  }
  await say(new Writer().int(1, actions.commit).text(2, ref).int(3, size).text(4, digest).int(5, offset));
  call.end();
  // What is wrong with the whole is told at the end.
  while ((await answers.next()).done !== true);
}

async function hasContent(session: Session, store: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
  try {
    await session.ask(`${service}/Info`, new Writer().text(1, digest).done(), signal, headers(store));
    return true;
  } catch (error) {
    if (isClass(error, "notFound")) return false;
    throw error;
  }
}

/** The bytes of a blob in a content store of the client's. */
export async function* readContent(session: Session, store: string, digest: Digest, signal: AbortSignal): AsyncGenerator<Buffer> {
  if (!session.offers(`${service}/Read`)) throw new EngineError("invalidArgument", "the client offers no store to read from");
  await using call = session.open(`${service}/Read`, headers(store), signal);
  await call.send(new Writer().text(1, digest).done());
  call.end();
  for await (const message of call.messages) yield new Reader(message).bytes(2);
}

/** A whole blob of a content store of the client's that describes something, verified. */
export async function readDocument(session: Session, store: string, digest: Digest, signal: AbortSignal): Promise<Buffer> {
  const bytes = await gathered(readContent(session, store, digest, signal));
  const found = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (found !== digest) throw new EngineError("invalidArgument", `${digest}: the client's store gave bytes with the digest ${found}`);
  return bytes;
}

const documentBytesMax = 64 * 1024 * 1024;

/** All of it, where it is a description. */
export async function gathered(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > documentBytesMax) throw new EngineError("exhausted", `a description is larger than the ${documentBytesMax} bytes accepted`);
    all.push(chunk);
  }
  return Buffer.concat(all);
}
