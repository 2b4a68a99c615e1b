/** Puts a container's ports on the host: all of them or none. */
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import { type Family, familyOf } from "./address.ts";
import type { NetworkDriver } from "./driver.ts";
import type { PortPublisher } from "./networks.ts";
import type { GatewayMode } from "./record.ts";
import { type PortAllocations, type Publication } from "./ports.ts";

export interface Bound {
  readonly key: string;
  readonly hostIp: string;
  /** 0: no port of the host leads there. */
  readonly hostPort: number;
}

export interface Published extends AsyncDisposable {
  readonly bound: readonly Bound[];
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
  readonly driver: Pick<NetworkDriver, "open">;
  /** Where a family is routed its ports are only opened, at the container's own address. */
  readonly modes: Partial<Readonly<Record<Family, GatewayMode>>>;
  readonly allocations: PortAllocations;
  /** Whose the ports will be, for people. */
  readonly holder: string;
}

export async function publishAll(how: Publishing, what: readonly Publication[], target: Target): Promise<Published> {
  await using undo = new AsyncDisposableStack();
  const bound: Bound[] = [];
  for (const publication of what) {
    const done = undo.use(await publishOne(how, publication, target));
    bound.push(...done.bound);
  }
  const held = undo.move();
  return { bound, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Tries the ports allowed in turn; what only says "occupied" is the last one's answer. */
async function publishOne(how: Publishing, what: Publication, target: Target): Promise<Published> {
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
async function bindPort(how: Publishing, what: Publication, port: number, target: Target): Promise<Published> {
  await using undo = new AsyncDisposableStack();
  const routed = what.hostIps.filter((hostIp) => isRouted(how, target, hostIp));
  const listened = what.hostIps.filter((hostIp) => !routed.includes(hostIp));
  undo.use(how.allocations.hold(what.proto, listened, port, how.holder));
  const opened = undo.use(openPorts(how, what, routed, target));
  const bound: Bound[] = [...opened.bound];
  for (const hostIp of listened) {
    const { proto } = what;
    const inner = { address: addressFor(target, hostIp), port: what.port };
    try {
      undo.use(
        await how.publisher.publish({ proto, hostIp, hostPort: port, target: { ...inner, ...(target.netns === undefined ? {} : { netns: target.netns }) } }),
      );
      undo.use(how.driver.open({ proto, ...inner, at: { address: hostIp, port } }));
    } catch (error) {
      // "Every address" does not ask for IPv6 where the host has none.
      if (isClass(error, "unavailable") && hostIp === "::" && what.hostIps.length > 1) continue;
      const at = `${bracketed(hostIp)}:${port}:${bracketed(inner.address)}:${what.key}`;
      const cls = isClass(error, "conflict") ? "conflict" : "internal";
      throw new EngineError(cls, `failed to bind host port for ${at}: ${messageOf(error)}`, { cause: error });
    }
    bound.push({ key: what.key, hostIp, hostPort: port });
  }
  const held = undo.move();
  return { bound, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function isRouted({ modes }: Publishing, { addresses }: Target, hostIp: string): boolean {
  const family = familyOf(hostIp);
  return family !== undefined && addresses[family] !== undefined && modes[family] === "routed";
}

/** Opens the container's port to the outside; no port of the host is taken. */
function openPorts(how: Publishing, what: Publication, hostIps: readonly string[], target: Target): Published {
  const undo = new AsyncDisposableStack();
  for (const hostIp of hostIps) undo.use(how.driver.open({ proto: what.proto, address: addressFor(target, hostIp), port: what.port }));
  return { bound: hostIps.map((hostIp) => ({ key: what.key, hostIp, hostPort: 0 })), [Symbol.asyncDispose]: () => undo.disposeAsync() };
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
