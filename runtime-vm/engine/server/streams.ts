import type { Duplex, Readable } from "node:stream";
import { type ApiVersion, has } from "#api/versions.ts";
import { paced } from "#core/tasks/paced.ts";
import { type FrameStream, frameHeader } from "#api/stdcopy.ts";

/** What is carried over a connection that attach or exec took over. */
export interface ProcessStreams {
  readonly tty: boolean;
  readonly output: AsyncIterable<{ readonly stream: FrameStream; readonly bytes: Uint8Array }>;
  /** Feeds the client's bytes to the process; absent: what the client sends is dropped. */
  readonly input: ((source: Readable) => Promise<"ended" | "detached" | "closed">) | undefined;
}

/** How long a client may take to close after it was told that the output is over. */
const lingerMsMax = 10_000;

/** How the bytes of a process are framed, in the words of Content-Type. */
export function streamContentType(version: ApiVersion, tty: boolean): string {
  return !tty && has(version, "multiplexedContentType") ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream";
}

/**
 * Runs both directions until the output is over, the client is gone, or it detached. The client's half-close ends only the input:
 * the output still comes. Closes the connection in the end.
 */
export async function serveStreams(client: Duplex, streams: ProcessStreams): Promise<void> {
  const over = Promise.withResolvers<"over">();
  client.once("close", () => over.resolve("over"));
  if (streams.input === undefined) client.resume();
  else
    void streams.input(client).then(
      (end) => end === "detached" && over.resolve("over"),
      () => undefined,
    );
  const output = writeOutput(client, streams);
  output.catch(() => undefined);
  try {
    await Promise.race([output, over.promise]);
  } finally {
    // The client reads the end and closes. One that does not read must not hold the connection.
    client.end();
    client.resume();
    const patience = setTimeout(() => client.destroy(), lingerMsMax).unref();
    client.once("close", () => clearTimeout(patience));
  }
}

/** A client that is gone gets nothing, but the output is read to its end: the process must not wait for it. */
async function writeOutput(client: Duplex, { output, tty }: ProcessStreams): Promise<void> {
  for await (const { stream, bytes } of output) {
    if (client.destroyed || client.writableEnded) continue;
    const gone = Promise.withResolvers<void>();
    client.once("close", gone.resolve);
    client.cork();
    if (!tty) client.write(frameHeader(stream, bytes.length));
    // Until they are through the bytes are ours, and the next ones may come in the same memory.
    client.write(bytes, () => gone.resolve());
    client.uncork();
    await gone.promise;
    client.off("close", gone.resolve);
  }
}

type Labelled = { readonly stream: FrameStream; readonly bytes: Uint8Array };

/** Two streams as one, each chunk as it comes. Ends when both have. */
export async function* merged(stdout: Readable | undefined, stderr: Readable | undefined): AsyncGenerator<Labelled> {
  const sources = [
    { stream: "stdout", from: stdout },
    { stream: "stderr", from: stderr },
  ] as const;
  const pending = new Map<FrameStream, Promise<{ stream: FrameStream; iterator: AsyncIterator<Uint8Array>; result: IteratorResult<Uint8Array> }>>();
  const ask = (stream: FrameStream, iterator: AsyncIterator<Uint8Array>): void => {
    pending.set(
      stream,
      iterator.next().then((result) => ({ stream, iterator, result })),
    );
  };
  for (const { stream, from } of sources) if (from !== undefined) ask(stream, paced(from));
  while (pending.size > 0) {
    const { stream, iterator, result } = await Promise.race(pending.values());
    pending.delete(stream);
    if (result.done === true) continue;
    ask(stream, iterator);
    yield { stream, bytes: result.value };
  }
}
