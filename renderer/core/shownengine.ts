import { EngineError } from "#base/errors.ts";
import type { Bridge, CallName, EngineRequest, HostEvents, HostInfo, RemoteEngine } from "#bridge/bridge.ts";

/**
 * The engine that this window shows when it is not that of this computer's machine. It is kept for the tab, with all
 * that is needed to say which it is: a new window, and Slipway started anew, begin with this computer.
 */
export type ShownEngine = Pick<RemoteEngine, "id" | "name" | "url" | "tls" | "source" | "portHost">;

const key = "slipway.engine";

export function shownEngine(storage: Pick<Storage, "getItem">): ShownEngine | undefined {
  try {
    return (JSON.parse(storage.getItem(key) ?? "null") as ShownEngine | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Shows another engine, or this computer's. The page is loaded anew: nothing that belongs to one engine, no list, log,
 * shell or figure, can be seen beside another's name.
 */
export function showEngine(engine: ShownEngine | undefined, { sessionStorage, location }: Pick<Window, "sessionStorage" | "location"> = window): void {
  if (engine === undefined) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, JSON.stringify(engine));
  location.hash = "/containers";
  location.reload();
}

/** What of the machine's calls another engine has: it is reached, and neither stopped nor erased from here. */
const connecting: ReadonlySet<string> = new Set<CallName>(["machine.start", "machine.restart"]);
const notOurs: ReadonlySet<string> = new Set<CallName>(["machine.stop", "machine.erase", "machine.repair"]);

/** The bridge as a window on another engine sees it. What concerns this computer goes through as it is. */
export function bridgeTo(bridge: Bridge, { id, name, portHost }: ShownEngine): Bridge {
  const there = (request: EngineRequest): EngineRequest => ({ ...request, engine: id });
  const call = async (called: CallName, arg: unknown): Promise<unknown> => {
    const through = bridge.call as (name: CallName, arg: unknown) => Promise<unknown>;
    if (notOurs.has(called)) throw new EngineError("notImplemented", `${name} is not run by Slipway: do that where it runs`);
    if (connecting.has(called)) return await through("engines.connect", { id });
    if (called === "machine.status") return await through("engines.status", { id });
    if (called === "engine.request") return await through(called, there(arg as EngineRequest));
    const answer = await through(called, arg);
    return called === "host.info" ? { ...(answer as HostInfo), portHost } : answer;
  };
  return {
    call: ((called: CallName, arg: unknown) => call(called, arg)) as Bridge["call"],
    stream: (open) => bridge.stream({ ...open, request: there(open.request) }),
    on: ((event: keyof HostEvents, listener: (value: unknown) => void) =>
      event === "machine" ? bridge.on("engine", (told) => told.id === id && listener(told.status)) : bridge.on(event, listener)) as Bridge["on"],
    get connected() {
      return bridge.connected;
    },
    onConnected: (listener) => bridge.onConnected(listener),
  };
}

/** How the docker command is told the same engine. */
export function dockerTo(engine: ShownEngine | undefined): readonly string[] {
  if (engine === undefined) return ["docker"];
  if (engine.source === "context") return ["docker", "--context", engine.name];
  const { ca, cert, key: privateKey } = engine.tls ?? {};
  const file = (flag: string, path: string | undefined): readonly string[] => (path === undefined ? [] : [flag, path]);
  const tls = engine.tls === undefined ? [] : ["--tlsverify", ...file("--tlscacert", ca), ...file("--tlscert", cert), ...file("--tlskey", privateKey)];
  return ["docker", "-H", engine.url, ...tls];
}
