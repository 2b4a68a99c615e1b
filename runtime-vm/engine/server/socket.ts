import { chmodSync, chownSync, lstatSync, rmSync } from "node:fs";
import { type Server, connect } from "node:net";
import { EngineError } from "#base/errors.ts";
import { listenOnPath } from "#core/system/listen.ts";

/** Who may open a unix socket. */
export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Listens on a unix socket that only `owner` may open. A socket file nobody serves is replaced; one that is served is an error. */
export async function listenAt(server: Server, path: string, owner: SocketOwner): Promise<void> {
  await clearStaleSocket(path);
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  // The socket file is made within this call: until its owner is set nobody else may open it.
  const umask = process.umask(0o177);
  try {
    listenOnPath(server, path);
  } finally {
    process.umask(umask);
  }
  await listening;
  chownSync(path, owner.uid, owner.gid);
  chmodSync(path, owner.mode);
}

async function clearStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new EngineError("invalidArgument", `${path} is not a socket: move it away or choose another --socket`);
  const served = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });
  if (served) throw new EngineError("conflict", `${path} is served by another engine: stop that one or choose another --socket`);
  rmSync(path, { force: true });
}
