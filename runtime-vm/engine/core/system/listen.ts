import type { Server } from "node:net";

/** Connections that may wait to be accepted, as many as the kernel allows by default (net.core.somaxconn) and dockerd asks for. */
const backlog = 4_096;

/**
 * `server.listen(path)`, which tells of success and failure as ever, but without the detour by node:cluster: that looks whether
 * this process is some other's worker, and to know it loads what starts processes and sends datagrams, a tenth of the engine's start.
 */
export function listenOnPath(server: Server, path: string): void {
  const direct: Server & { _listen2?(path: string, port: -1, family: -1, backlog: number): void } = server;
  if (direct._listen2 === undefined) server.listen(path);
  else direct._listen2(path, -1, -1, backlog);
}
