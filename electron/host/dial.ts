import { type Socket, connect } from "node:net";
import { EngineError } from "#base/errors.ts";

/** Connects to a unix socket or Windows pipe. Class `unavailable` when nobody answers there. */
export function dialPath(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const fail = (error: Error): void => reject(new EngineError("unavailable", error.message, { cause: error }));
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
