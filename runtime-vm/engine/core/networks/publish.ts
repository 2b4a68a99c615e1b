/** Puts a container's ports on the host: all of them or none. */
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { PortPublisher } from "./networks.ts";
import { type PortAllocations, type Publication } from "./ports.ts";

export interface Bound {
  readonly key: string;
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface Published extends AsyncDisposable {
  readonly bound: readonly Bound[];
}

export interface Target {
  readonly address: string;
  readonly netns?: string;
}

export interface Publishing {
  readonly publisher: PortPublisher;
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
  undo.use(how.allocations.hold(what.proto, what.hostIps, port, how.holder));
  const bound: Bound[] = [];
  for (const hostIp of what.hostIps) {
    try {
      undo.use(await how.publisher.publish({ proto: what.proto, hostIp, hostPort: port, target: { ...target, port: what.port } }));
    } catch (error) {
      // "Every address" does not ask for IPv6 where the host has none.
      if (isClass(error, "unavailable") && hostIp === "::" && what.hostIps.length > 1) continue;
      const at = `${bracketed(hostIp)}:${port}:${bracketed(target.address)}:${what.key}`;
      const cls = isClass(error, "conflict") ? "conflict" : "internal";
      throw new EngineError(cls, `failed to bind host port for ${at}: ${messageOf(error)}`, { cause: error });
    }
    bound.push({ key: what.key, hostIp, hostPort: port });
  }
  const held = undo.move();
  return { bound, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
