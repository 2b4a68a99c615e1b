/** Port specifications of containers, and who holds which host port. */
import type { PortBinding, PortMap } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { familyOf } from "./address.ts";

export interface ContainerPort {
  readonly port: number;
  readonly proto: "tcp" | "udp";
}

const bad = (text: string): EngineError => new EngineError("invalidArgument", `invalid port specification: ${JSON.stringify(text)}`);

/** `80/tcp`, `53/udp`, `80` (tcp). */
export function parsePort(text: string): ContainerPort {
  const [number = "", proto = "tcp", ...rest] = text.split("/");
  if (!/^\d{1,5}$/.test(number) || Number(number) > 65535 || rest.length > 0) throw bad(text);
  if (proto !== "tcp" && proto !== "udp") {
    if (proto === "sctp") throw new EngineError("invalidArgument", `${text}: publishing SCTP ports is not supported: use tcp or udp`);
    throw bad(text);
  }
  return { port: Number(number), proto };
}

/** Host ports of a binding, first to last; "" and "0" are any free one. */
export function parseHostPorts(text: string): { readonly first: number; readonly last: number } | "any" {
  if (text === "" || text === "0") return "any";
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first === 0 || last > 65535 || last < first) throw bad(text);
  return { first, last };
}

export interface Publication extends ContainerPort {
  /** The key in the port map. */
  readonly key: string;
  /** Every address to listen on; the second is IPv6 and may be left out where the host has none. */
  readonly hostIps: readonly string[];
  readonly hostPorts: { readonly first: number; readonly last: number } | "any";
}

/** All publications that a container asks for. `hostBinding` is what an empty HostIp means on its network; "" is every address. */
export function publications(ports: PortMap, exposed: readonly string[], publishAll: boolean, hostBinding: string): Publication[] {
  const all = new Map<string, readonly PortBinding[]>();
  for (const [key, bindings] of Object.entries(ports)) if (bindings !== null && bindings.length > 0) all.set(key, bindings);
  if (publishAll) for (const key of exposed) if (!all.has(key)) all.set(key, [{ HostIp: "", HostPort: "" }]);
  return [...all].flatMap(([key, bindings]) =>
    bindings.map((binding) => {
      const { port, proto } = parsePort(key);
      return {
        key: `${port}/${proto}`,
        port,
        proto,
        hostIps: hostIps(binding.HostIp ?? "", hostBinding, key),
        hostPorts: parseHostPorts(binding.HostPort ?? ""),
      };
    }),
  );
}

function hostIps(asked: string, hostBinding: string, key: string): readonly string[] {
  const address = asked === "" ? hostBinding : asked.replace(/^\[(.*)\]$/, "$1");
  if (address === "") return ["0.0.0.0", "::"];
  if (familyOf(address) === undefined)
    throw new EngineError("invalidArgument", `invalid port specification: host IP ${JSON.stringify(asked)} of ${key} is not an IP address`);
  return [address];
}

/** The map that inspect shows: every exposed port, null where nothing is published. */
export function portMap(exposed: readonly string[], bound: readonly { readonly key: string; readonly hostIp: string; readonly hostPort: number }[]): PortMap {
  const map: Record<string, PortBinding[] | null> = {};
  for (const key of exposed) {
    const { port, proto } = parsePort(key);
    map[`${port}/${proto}`] = null;
  }
  for (const { key, hostIp, hostPort } of bound) (map[key] ??= []).push({ HostIp: hostIp, HostPort: hostPort === 0 ? "" : String(hostPort) });
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Exactly the publications that a map shows. */
export function publicationsOf(ports: PortMap): Publication[] {
  return Object.entries(ports).flatMap(([key, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => ({
      key,
      ...parsePort(key),
      hostIps: [HostIp],
      hostPorts: parseHostPorts(HostPort),
    })),
  );
}

/** Ports to publish besides, and to publish no longer: an empty HostIp or HostPort there stands for all, null for every binding of the port. */
export interface PortChange {
  readonly add: PortMap;
  readonly remove: PortMap;
}

export const changesOf = ({ add, remove }: PortChange): string[] => [...new Set([...Object.keys(add), ...Object.keys(remove)].map(canonicalPort))];

/** `80` is `80/tcp`. */
export function canonicalPort(key: string): string {
  const { port, proto } = parsePort(key);
  return `${port}/${proto}`;
}

/** Whether all that `want` asks for is there: a port that was given, at each of its addresses. */
export function isBound(
  { key, hostIps, hostPorts }: Publication,
  bound: readonly { readonly key: string; readonly hostIp: string; readonly hostPort: number }[],
): boolean {
  if (hostPorts === "any" || hostPorts.first !== hostPorts.last) return false;
  return hostIps.every((ip) => bound.some((one) => one.key === key && one.hostIp === ip && one.hostPort === hostPorts.first));
}

/** What a container asks for once its ports were changed: of the ports in the change, exactly what is published now. */
export function portsAfter(asked: PortMap, change: PortChange, now: PortMap): PortMap {
  const changed = changesOf(change);
  const others = Object.entries(asked).filter(([key]) => !changed.includes(canonicalPort(key)));
  const own = changed.flatMap((key) => {
    const bindings = now[key] ?? [];
    return bindings.length === 0 ? [] : [[key, bindings] as const];
  });
  return Object.fromEntries([...others, ...own]);
}

/** Whether a removal names what is bound. */
export function removes(bound: { readonly key: string; readonly hostIp: string; readonly hostPort: number }, remove: PortMap): boolean {
  return Object.entries(remove).some(([key, bindings]) => {
    if (canonicalPort(key) !== bound.key) return false;
    return bindings === null || bindings.some((binding) => isNamed(bound, binding));
  });
}

function isNamed({ hostIp, hostPort }: { readonly hostIp: string; readonly hostPort: number }, { HostIp = "", HostPort = "" }: Partial<PortBinding>): boolean {
  return (HostIp === "" || HostIp.replace(/^\[(.*)\]$/, "$1") === hostIp) && (HostPort === "" || HostPort === String(hostPort));
}

interface Held {
  /** Whose it is, for people. */
  readonly holder: string;
  readonly proto: string;
  readonly ip: string;
  readonly port: number;
}

const UNSPECIFIED = ["0.0.0.0", "::"];
const clash = (a: Held, b: Held): boolean =>
  a.proto === b.proto && a.port === b.port && familyOf(a.ip) === familyOf(b.ip) && (a.ip === b.ip || UNSPECIFIED.includes(a.ip) || UNSPECIFIED.includes(b.ip));

/** First host port given when any will do, as dockerd's. */
const EPHEMERAL = { first: 32_768, last: 60_999 } as const;

/** Host ports that containers of this engine hold. */
export class PortAllocations {
  readonly #held = new Set<Held>();
  #next: number = EPHEMERAL.first;

  /** Holds the port on all addresses or throws dockerd's sentence, naming the address it is taken at, and by whom. An address may be given back before the others. */
  hold(proto: string, ips: readonly string[], port: number, holder: string): Disposable & { release(ip: string): void } {
    const wanted = ips.map((ip) => ({ proto, ip, port, holder }));
    // dockerd asks IPv6 first, which shows in the sentence.
    for (const want of wanted.toReversed()) {
      for (const held of this.#held) {
        if (clash(want, held)) throw new EngineError("conflict", `Bind for ${held.ip}:${port} failed: port is already allocated by ${held.holder}`);
      }
    }
    for (const want of wanted) this.#held.add(want);
    const release = (which: (ip: string) => boolean): void => {
      for (const want of wanted) if (which(want.ip)) this.#held.delete(want);
    };
    return { release: (ip) => release((other) => other === ip), [Symbol.dispose]: () => release(() => true) };
  }

  /** Holds the first port that is free, `wanted` before others. */
  holdAny(proto: string, ip: string, wanted: number, holder: string): Disposable & { readonly port: number } {
    for (let candidates = this.ephemeral(), port = wanted; ; port = candidates.next().value ?? 0) {
      if (port === 0) throw new EngineError("conflict", `${ip} has no free port`);
      if ([...this.#held].some((held) => clash({ proto, ip, port, holder }, held))) continue;
      return { port, ...this.hold(proto, [ip], port, holder) };
    }
  }

  /** Candidates for "any port", each once, going round from where the last search ended. */
  *ephemeral(): Generator<number> {
    const count = EPHEMERAL.last - EPHEMERAL.first + 1;
    for (let tried = 0; tried < count; tried += 1) {
      const port = this.#next;
      this.#next = port === EPHEMERAL.last ? EPHEMERAL.first : port + 1;
      yield port;
    }
  }
}
