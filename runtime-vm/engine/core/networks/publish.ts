/** Puts a container's ports on the host: all that are asked for at once, or none of them. */
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import { type Family, familyOf } from "./address.ts";
import type { NetworkDriver, OpenPort } from "./driver.ts";
import type { PortPublisher } from "./networks.ts";
import type { GatewayMode } from "./record.ts";
import { type PortAllocations, type Publication } from "./ports.ts";

export interface Bound {
  readonly key: string;
  readonly hostIp: string;
  /** 0: no port of the host leads there. */
  readonly hostPort: number;
}

/** A port at one address, until disposed. */
interface BoundPort extends Bound, AsyncDisposable {}

/** The ports of a container that are on the host. */
export class Published implements AsyncDisposable {
  #ports: readonly BoundPort[] = [];

  get bound(): readonly Bound[] {
    return this.#ports;
  }

  /** All of `what` besides what there is, or nothing of it. */
  async add(how: Publishing, what: readonly Publication[], target: Target): Promise<void> {
    await using undo = new AsyncDisposableStack();
    const more: BoundPort[] = [];
    for (const publication of what) {
      for (const port of await publishOne(how, publication, target)) more.push(undo.use(port));
    }
    undo.move();
    this.#ports = [...this.#ports, ...more];
  }

  async remove(which: (port: Bound) => boolean): Promise<void> {
    const gone = this.#ports.filter(which);
    this.#ports = this.#ports.filter((port) => !gone.includes(port));
    await using undo = new AsyncDisposableStack();
    for (const port of gone) undo.use(port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove(() => true);
  }
}

/** A container, by its address of each family. */
export interface Target {
  readonly addresses: Partial<Readonly<Record<Family, string>>>;
  readonly netns?: string;
}

/** Its address of the family, or else the other one: a listener carries between the two. */
const addressFor = ({ addresses }: Target, hostIp: string): string => {
  const other = addresses[4] ?? addresses[6] ?? "";
  return (familyOf(hostIp) === 6 ? addresses[6] : addresses[4]) ?? other;
};

export interface Publishing {
  readonly publisher: PortPublisher;
  readonly driver: Pick<NetworkDriver, "open" | "leads">;
  /** Where a family is routed its ports are only opened, at the container's own address. */
  readonly modes: Partial<Readonly<Record<Family, GatewayMode>>>;
  readonly allocations: PortAllocations;
  /** Whose the ports will be, for people. */
  readonly holder: string;
}

/** Tries the ports allowed in turn; what only says "occupied" is the last one's answer. */
async function publishOne(how: Publishing, what: Publication, target: Target): Promise<BoundPort[]> {
  const routed = what.hostIps.filter((hostIp) => isRouted(how, target, hostIp));
  if (routed.length === what.hostIps.length) return openPorts(how, what, routed, target);
  const { hostPorts } = what;
  const candidates = hostPorts === "any" ? how.allocations.ephemeral() : range(hostPorts.first, hostPorts.last);
  let refused: unknown;
  for (const port of candidates) {
    try {
      return await bindPort(how, what, port, target);
    } catch (error) {
      if (!isClass(error, "conflict")) throw error;
      refused = error;
    }
  }
  throw refused ?? new EngineError("internal", `no free host port for ${what.key}`);
}

function* range(first: number, last: number): Generator<number> {
  for (let port = first; port <= last; port += 1) yield port;
}

/** One host port at every address wanted. */
async function bindPort(how: Publishing, what: Publication, port: number, target: Target): Promise<BoundPort[]> {
  await using undo = new AsyncDisposableStack();
  const routed = what.hostIps.filter((hostIp) => isRouted(how, target, hostIp));
  const listened = what.hostIps.filter((hostIp) => !routed.includes(hostIp));
  const held = how.allocations.hold(what.proto, listened, port, how.holder);
  undo.use(held);
  const bound = openPorts(how, what, routed, target);
  for (const opened of bound) undo.use(opened);
  for (const hostIp of listened) {
    const { proto } = what;
    const inner = { address: addressFor(target, hostIp), port: what.port };
    const one = undo.use(new AsyncDisposableStack());
    one.defer(() => held.release(hostIp));
    const relay = openRelay(how, { proto, ...inner }, hostIp, port);
    if (relay !== undefined) one.use(relay);
    const to = { ...inner, ...(target.netns === undefined ? {} : { netns: target.netns }) };
    try {
      one.use(await how.publisher.publish({ proto, hostIp, hostPort: port, target: to, ...(relay === undefined ? {} : { relayPort: relay.port }) }));
      one.use(how.driver.open({ proto, ...inner, at: { address: hostIp, port } }));
    } catch (error) {
      // "Every address" does not ask for IPv6 where the host has none.
      if (isClass(error, "unavailable") && hostIp === "::" && what.hostIps.length > 1) {
        await one.disposeAsync();
        continue;
      }
      const at = `${bracketed(hostIp)}:${port}:${bracketed(inner.address)}:${what.key}`;
      const cls = isClass(error, "conflict") ? "conflict" : "internal";
      throw new EngineError(cls, `failed to bind host port for ${at}: ${messageOf(error)}`, { cause: error });
    }
    bound.push({ key: what.key, hostIp, hostPort: port, [Symbol.asyncDispose]: () => one.disposeAsync() });
  }
  undo.move();
  return bound;
}

/** A port of this machine's own address, for the one around it: the host's number where it is free. */
function openRelay(how: Publishing, to: Omit<OpenPort, "at">, hostIp: string, wanted: number): (Disposable & { readonly port: number }) | undefined {
  const { relayAddress: address } = how.publisher;
  if (address === undefined || familyOf(hostIp) !== 4 || !how.driver.leads({ ...to, at: { address, port: wanted } })) return undefined;
  using undo = new DisposableStack();
  const held = undo.use(how.allocations.holdAny("relay", address, wanted, how.holder));
  undo.use(how.driver.open({ ...to, at: { address, port: held.port } }));
  const all = undo.move();
  return { port: held.port, [Symbol.dispose]: () => all.dispose() };
}

function isRouted({ modes }: Publishing, { addresses }: Target, hostIp: string): boolean {
  const family = familyOf(hostIp);
  return family !== undefined && addresses[family] !== undefined && modes[family] === "routed";
}

/** Opens the container's port to the outside; no port of the host is taken. */
function openPorts(how: Publishing, what: Publication, hostIps: readonly string[], target: Target): BoundPort[] {
  return hostIps.map((hostIp) => {
    const open = how.driver.open({ proto: what.proto, address: addressFor(target, hostIp), port: what.port });
    return { key: what.key, hostIp, hostPort: 0, [Symbol.asyncDispose]: async () => open[Symbol.dispose]() };
  });
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
