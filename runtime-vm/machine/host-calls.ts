import type { Duplex } from "node:stream";
import { codeOf, EngineError } from "#base/errors.ts";
import type { Handlers, HostCalls } from "#link/calls.ts";
import { dialStream } from "#link/dial.ts";
import type { HostLink } from "#link/host.ts";
import { splice } from "#link/tunnel.ts";
import type { PublishedPorts } from "./forward/ports.ts";
import { resolveForGuest } from "./resolver.ts";

export interface HostCallsOptions {
  readonly ports: PublishedPorts;
  /** Whether containers may reach this computer's own services by `host.docker.internal`. */
  readonly hostAccess: boolean;
}

/** What the host does for its guest: binds ports, resolves names, and dials its own loopback for `host.docker.internal`. */
export const hostCalls =
  ({ ports, hostAccess }: HostCallsOptions) =>
  (link: Pick<HostLink, "open">): Handlers<HostCalls> => ({
    publish: async (request) => await ports.publish(request),
    unpublish: async ({ lease }) => {
      await ports.unpublish(lease);
      return null;
    },
    resolve: async ({ name, type }) => await resolveForGuest(name, type),
    dial: async ({ address, port, ticket }, { signal }) => {
      if (!hostAccess) throw new EngineError("forbidden", "containers may not reach this computer: host access is switched off");
      if (address !== "127.0.0.1") throw new EngineError("forbidden", `${address} is not this computer's loopback`);
      // A container that reached one of its own published ports this way would go round in circles.
      if (ports.holds("tcp", port)) throw new EngineError("forbidden", `port ${port} of the host leads back into the virtual machine`);
      const socket = await dialLoopback(port);
      try {
        void splice(await link.open({ kind: "accept", ticket }, { signal }), socket);
        return null;
      } catch (error) {
        socket.destroy();
        throw error;
      }
    },
  });

/** As `localhost` means it: development servers listen on either of the two. */
async function dialLoopback(port: number): Promise<Duplex> {
  try {
    return await dialStream({ address: "127.0.0.1", port });
  } catch (error) {
    if (codeOf(error) !== "ECONNREFUSED") throw error;
    return await dialStream({ address: "::1", port });
  }
}
