import { EngineError } from "#base/errors.ts";
import type { Handlers, HostCalls } from "#link/calls.ts";
import { dialStream } from "#link/dial.ts";
import type { HostLink } from "#link/host.ts";
import { splice } from "#link/tunnel.ts";
import type { PublishedPorts } from "./forward/ports.ts";
import { resolveForGuest } from "./resolver.ts";

/** What the host does for its guest: binds ports, resolves names, and dials its own loopback for `host.docker.internal`. */
export const hostCalls =
  (ports: PublishedPorts) =>
  (link: Pick<HostLink, "open">): Handlers<HostCalls> => ({
    publish: async (request) => await ports.publish(request),
    unpublish: async ({ lease }) => {
      await ports.unpublish(lease);
      return null;
    },
    resolve: async ({ name, type }) => await resolveForGuest(name, type),
    dial: async ({ address, port, ticket }, { signal }) => {
      // A container that reached one of its own published ports this way would go round in circles.
      if (ports.holds("tcp", port)) throw new EngineError("forbidden", `port ${port} of the host leads back into the virtual machine`);
      const socket = await dialStream({ address, port });
      try {
        void splice(await link.open({ kind: "accept", ticket }, { signal }), socket);
        return null;
      } catch (error) {
        socket.destroy();
        throw error;
      }
    },
  });
