import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { isIPv4 } from "node:net";
import { EngineError, isClass } from "#base/errors.ts";
import { boot } from "#link/boot.ts";
import { type Binding, bindTcp } from "#machine/forward/bind.ts";
import type { Forwards, Listener } from "#machine/forward/listeners.ts";
import { lengthenBacklog } from "./backlog.ts";
import type { Qmp } from "./qmp.ts";

/** The netdev of command.ts. */
const netdev = "net";

/**
 * TCP ports of the host that QEMU's own user network (slirp) carries to the guest's address. It spends a fraction of the
 * processor time that a tunnel does, and the guest sees the address of a client that is not of this computer's loopback.
 * Removing one leaves open connections to their ends.
 */
export class HostForwards implements Forwards {
  readonly #qmp: Pick<Qmp, "execute">;
  readonly #pid: number;

  constructor(qmp: Pick<Qmp, "execute">, pid: number) {
    this.#qmp = qmp;
    this.#pid = pid;
  }

  async add(binding: Binding, guestPort: number): Promise<Listener | undefined> {
    const host = binding.hostIp || "0.0.0.0";
    if (binding.proto !== "tcp" || !isIPv4(host)) return undefined;
    // QEMU says only that it cannot.
    const port = await bindable(binding);
    const at = `tcp:${host}:${port}`;
    if ((await this.#monitor(`hostfwd_add ${netdev} ${at}-${boot.guestAddress}:${guestPort}`)) !== "") return undefined;
    const listener: Listener = { port, [Symbol.asyncDispose]: () => this.#remove(at) };
    if (await lengthenBacklog(this.#pid, host, port)) return listener;
    await listener[Symbol.asyncDispose]();
    return undefined;
  }

  /** With QEMU its ports have gone. */
  async #remove(at: string): Promise<void> {
    try {
      await this.#monitor(`hostfwd_remove ${netdev} ${at}`);
    } catch (error) {
      if (!isClass(error, "unavailable")) throw error;
    }
  }

  /** The monitor for people has commands that the one for programs lacks; it prints what went wrong. */
  async #monitor(line: string): Promise<string> {
    const printed = await this.#qmp.execute("human-monitor-command", { "command-line": line });
    if (typeof printed !== "string") throw new EngineError("internal", "QEMU's monitor answered without text");
    return printed.trim();
  }
}

/** The port, chosen where it was 0. Rejects as `bindTcp` does. */
async function bindable(binding: Binding): Promise<number> {
  const server = await bindTcp(binding);
  const { port } = server.address() as AddressInfo;
  const closed = once(server, "close");
  server.close();
  await closed;
  return port;
}
