import type { PortPublisher } from "#core/networks/networks.ts";
import { localPorts } from "./publisher.ts";

/**
 * Publishes by another publisher (the VM's host) and then here as well, so that containers reach a published port by their
 * gateway's address as they do without a VM. Here is best effort: an address of the host alone cannot be had.
 */
export const alsoLocally = (publisher: PortPublisher): PortPublisher => ({
  ...(publisher.relayAddress === undefined ? {} : { relayAddress: publisher.relayAddress }),
  async publish(what) {
    await using undo = new AsyncDisposableStack();
    const outer = undo.use(await publisher.publish(what));
    try {
      undo.use(await localPorts.publish({ ...what, hostPort: outer.hostPort }));
    } catch {
      // Taken or impossible here; on the host, where it counts, it is published.
    }
    const held = undo.move();
    return { hostPort: outer.hostPort, [Symbol.asyncDispose]: () => held.disposeAsync() };
  },
});
