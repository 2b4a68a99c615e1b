import { type FSWatcher, watch } from "node:fs";
import { lstat, mkdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Duplex } from "node:stream";
import { messageOf } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import { serveSocket } from "#machine/serve.ts";
import type { Dial } from "./engine.ts";

/** The served socket. It is put back by itself when its file is taken away, as cleaners of temporary folders do. */
export interface DockerSocket extends AsyncDisposable {
  /** Puts the socket back in its place; false when it is there. Class `conflict` when another program has taken the place. */
  restore(): Promise<boolean>;
}

/**
 * Serves the Docker API on a local socket (or Windows pipe) by carrying bytes to the engine, each connection over one
 * of `dial`'s. A client that comes while there is no engine is told why in HTTP, so that the CLI shows the reason.
 */
export async function serveDockerSocket(opts: { readonly path: string; readonly dial: Dial }): Promise<DockerSocket> {
  const { path, dial } = opts;
  const pipe = path.startsWith("\\\\");
  const closing = new AbortController();
  const lock = new KeyedLock();
  // Connections made before the file went keep their server.
  const servers = new AsyncDisposableStack();
  let inode: bigint | undefined;

  async function serve(): Promise<void> {
    if (!pipe) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    servers.use(await serveSocket(path, () => dial({ signal: closing.signal }).catch((error: unknown) => refusal(error))));
    if (!pipe) inode = await inodeOf(path);
  }
  async function restore(): Promise<boolean> {
    using _held = await lock.acquire(path);
    if (pipe || closing.signal.aborted || (await inodeOf(path)) === inode) return false;
    await serve();
    return true;
  }

  await serve();
  const watcher = pipe ? undefined : watchFor(path, () => void restore().catch(() => undefined)); // diagnostics say what is wrong
  return {
    restore,
    async [Symbol.asyncDispose]() {
      closing.abort();
      watcher?.close();
      using _held = await lock.acquire(path);
      await servers.disposeAsync();
    },
  };
}

const inodeOf = async (path: string): Promise<bigint | undefined> =>
  await lstat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => undefined,
  );

/** Undefined where the folder cannot be watched: the socket is then put back when it is asked for. */
function watchFor(path: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(path)) changed();
    });
    return watcher.on("error", () => watcher.close());
  } catch {
    return undefined;
  }
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
