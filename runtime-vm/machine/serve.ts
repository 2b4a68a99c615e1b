import { once } from "node:events";
import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { codeOf, EngineError } from "#base/errors.ts";
import { joinTo } from "#link/tunnel.ts";

/** An engine's API on a local socket. */
export type ServedSocket = AsyncDisposable & { readonly path: string };

/**
 * Serves `path` (a unix socket of mode 0600, or a Windows pipe): each client gets its own stream from `open`, with
 * half-close kept both ways. Its directory is made where it is not there. Class `conflict` when another program serves it already; a dead socket is replaced.
 */
export async function serveSocket(path: string, open: () => Promise<Duplex>): Promise<ServedSocket> {
  const pipe = path.startsWith("\\\\");
  if (!pipe) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await removeDead(path);
  }
  const live = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    live.add(client);
    client.once("close", () => live.delete(client));
    void joinTo(client, open);
  });
  await listen(server, path);
  if (!pipe) await chmod(path, 0o600);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const client of live) client.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  const before = process.platform === "win32" ? undefined : process.umask(0o177); // Node binds a unix socket within this call.
  try {
    server.listen(path);
  } finally {
    if (before !== undefined) process.umask(before);
  }
  try {
    await once(server, "listening");
  } catch (error) {
    throw new EngineError("unavailable", `cannot serve ${path}: ${codeOf(error) ?? String(error)}`, { cause: error });
  }
}

async function removeDead(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    if (!(await lstat(path)).isSocket())
      throw new EngineError("conflict", `${path} exists and is no socket: choose another path, or remove it`, { cause: error });
    await rm(path);
    return;
  } finally {
    probe.destroy();
  }
  throw new EngineError("conflict", `${path} is in use: another program serves an engine there`);
}
