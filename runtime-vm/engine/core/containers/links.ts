import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import type { LinkRecord } from "./record.ts";
import type { Supervisor } from "./supervisor.ts";

/**
 * Links of the default bridge (`--link NAME:ALIAS`), Docker's oldest way for a container to know another: an entry in its hosts
 * file, variables in its environment, and a second name (`/parent/alias`) for the other. Networks with names have aliases instead.
 */

/** Who is linked to, by id, so that a rename does not break it. Links of other networks belong to their endpoints. */
export function requestedLinks(catalog: Catalog, host: HostConfig): readonly LinkRecord[] {
  const mode = host.NetworkMode ?? "";
  if (mode !== "bridge") return [];
  return (host.Links ?? []).map((link) => {
    const [name, alias] = parseLink(link);
    const found = catalog.find(name);
    if (found === undefined) throw new EngineError("invalidArgument", `could not get container for ${name}: No such container: ${name}`);
    if (found.spec.hostConfig.NetworkMode === "host") {
      throw new EngineError("invalidArgument", "conflicting options: host type networking can't be used with links. This would result in undefined behavior");
    }
    return { id: found.id, alias };
  });
}

/** `name:alias`, or a name that is its own alias; inspect's `/name:/parent/alias` is taken too. */
function parseLink(text: string): [name: string, alias: string] {
  const parts = text.split(":");
  if (text === "") throw new EngineError("invalidArgument", "empty string specified for links");
  if (parts.length > 2) throw new EngineError("invalidArgument", `bad format for links: ${text}`);
  const [name = "", given = name] = parts;
  return [name, posix.basename(given)];
}

interface Linked {
  readonly alias: string;
  readonly container: Container;
}

/** Links whose other end is still there. */
export const linksOf = (catalog: Catalog, parent: Container): readonly Linked[] =>
  (parent.spec.links ?? []).flatMap(({ id, alias }) => {
    const container = catalog.find(id);
    return container === undefined ? [] : [{ alias, container }];
  });

/** As inspect shows them; null when there are none. */
export function shownLinks(catalog: Catalog, parent: Container): readonly string[] | null {
  const links = linksOf(catalog, parent).map(({ alias, container }) => `/${container.name}:/${parent.name}/${alias}`);
  return links.length === 0 ? null : links;
}

/** Names a container has by the links of others. */
export const linkNames = (catalog: Catalog, container: Container): readonly string[] =>
  catalog.all().flatMap((parent) => (parent.spec.links ?? []).filter(({ id }) => id === container.id).map(({ alias }) => `/${parent.name}/${alias}`));

/** What the parent is given at its start. */
export interface LinkSettings {
  /** `names:address`, for its hosts file. */
  readonly hosts: readonly string[];
  readonly env: readonly string[];
}

/** Class conflict while one of those linked to does not run. */
export function linkSettings(catalog: Catalog, parent: Container): LinkSettings {
  const links = linksOf(catalog, parent);
  return {
    hosts: links.map((link) => `${namesOf(link)}:${addressOf(link, parent)}`),
    env: links.flatMap((link) => environmentOf(link, parent)),
  };
}

function addressOf({ alias, container }: Linked, parent: Container): string {
  const address = container.run?.sandbox.endpoints["bridge"]?.IPAddress;
  if (address === undefined) throw new EngineError("conflict", `Cannot link to a non running container: /${container.name} AS /${parent.name}/${alias}`);
  return address;
}

const namesOf = ({ alias, container }: Linked): string => [...new Set([alias, container.spec.config.Hostname ?? "", container.name])].join(" ");

interface LinkedPort {
  readonly number: number;
  readonly proto: string;
}

/** First and last of each run of neighbours; a port alone is none. */
function runsOf(ports: readonly LinkedPort[]): (readonly [LinkedPort, LinkedPort])[] {
  const continues = (port: LinkedPort, before: LinkedPort | undefined): boolean => port.proto === before?.proto && port.number === before.number + 1;
  const starts = ports.flatMap((port, i) => (continues(port, ports[i - 1]) ? [] : [i]));
  return starts.flatMap((from, i) => {
    const run = ports.slice(from, starts[i + 1]);
    const [start, end] = [run[0], run.at(-1)];
    return start === undefined || end === undefined || run.length === 1 ? [] : [[start, end] as const];
  });
}

function environmentOf(link: Linked, parent: Container): string[] {
  const { Env, ExposedPorts } = link.container.spec.config;
  const prefix = link.alias.toUpperCase().replaceAll("-", "_");
  const address = addressOf(link, parent);
  const ports = Object.keys(ExposedPorts ?? {})
    .map((port) => ({ number: Number(port.split("/")[0]), proto: port.split("/")[1] ?? "tcp" }))
    // TCP before all others.
    .toSorted((a, b) => Number(b.proto === "tcp") - Number(a.proto === "tcp") || a.number - b.number);
  const urlOf = ({ number, proto }: LinkedPort): string => `${proto}://${address}:${number}`;
  const nameOf = ({ number, proto }: LinkedPort): string => `${prefix}_PORT_${number}_${proto.toUpperCase()}`;
  const first = ports[0];
  return [
    ...(first === undefined ? [] : [`${prefix}_PORT=${urlOf(first)}`]),
    ...runsOf(ports).flatMap(([start, end]) => {
      const name = nameOf(start);
      return [`${name}_START=${urlOf(start)}`, `${name}_PORT_START=${start.number}`, `${name}_END=${urlOf(end)}`, `${name}_PORT_END=${end.number}`];
    }),
    ...ports.flatMap((port) => {
      const name = nameOf(port);
      return [`${name}=${urlOf(port)}`, `${name}_ADDR=${address}`, `${name}_PORT=${port.number}`, `${name}_PROTO=${port.proto}`];
    }),
    `${prefix}_NAME=/${parent.name}/${link.alias}`,
    ...(Env ?? []).filter((entry) => entry.includes("=") && !/^(HOME|PATH)=/.test(entry)).map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

/** `docker rm --link PARENT/ALIAS`: the parent forgets the link, both containers stay. */
export async function removeLink(supervisor: Supervisor, name: string): Promise<void> {
  const { parent, alias } = supervisor.catalog.link(name);
  using _lock = await supervisor.locks.acquire(parent.id);
  const links = (parent.spec.links ?? []).filter((link) => link.alias !== alias);
  parent.spec = { ...parent.spec, links };
  supervisor.table.setSpec(parent.id, parent.name, parent.spec);
}
