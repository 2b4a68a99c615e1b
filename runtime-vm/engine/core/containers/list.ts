import { EngineError } from "#base/errors.ts";
import { type Filters, booleanFilter, checkFilters, matchesLabels } from "#api/filters.ts";
import type { ContainerSummary } from "#api/containers.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import { healthOf, imageNow, sizeOf } from "./inspect.ts";
import { linkNames } from "./links.ts";
import { portsOf, summarize } from "./summary.ts";

export interface ListOptions {
  readonly all: boolean;
  /** The newest n, whatever their state; 0 or less: no limit. */
  readonly limit: number;
  readonly size: boolean;
  readonly filters: Filters;
}

const known = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "isolation",
  "is-task",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
];
const states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const healths = ["none", "starting", "healthy", "unhealthy"];

/** Newest first. */
export async function listContainers(backends: ContainerBackends, catalog: Catalog, options: ListOptions): Promise<ContainerSummary[]> {
  const accepts = await compileFilters(backends, catalog, options.filters);
  const asksForStopped = options.all || options.limit > 0 || (options.filters["status"]?.length ?? 0) > 0;
  const matching = newestFirst(catalog.all()).filter((container) => (asksForStopped || container.isRunning) && accepts(container));
  const limited = options.limit > 0 ? matching.slice(0, options.limit) : matching;
  const rows = await Promise.all(limited.map((container) => rowOf(backends, catalog, container, options.size)));
  return rows.filter((row) => row !== undefined);
}

/** Undefined: removed while it was looked at. */
async function rowOf(backends: ContainerBackends, catalog: Catalog, container: Container, sized: boolean): Promise<ContainerSummary | undefined> {
  try {
    return summarize(container, {
      linkNames: linkNames(catalog, container),
      image: await imageNow(backends, container),
      size: sized ? await sizeOf(backends, container) : undefined,
    });
  } catch (error) {
    if (container.removing) return undefined;
    throw error;
  }
}

const newestFirst = (containers: readonly Container[]): Container[] =>
  containers.toSorted((a, b) => (a.spec.createdAt < b.spec.createdAt ? 1 : a.spec.createdAt > b.spec.createdAt ? -1 : 0));

type Accepts = (container: Container) => boolean;

/** Checks the filters and turns them into one predicate: any value of a name, every name. */
async function compileFilters(backends: ContainerBackends, catalog: Catalog, filters: Filters): Promise<Accepts> {
  checkFilters(filters, known);
  oneOf(filters, "status", "state", states);
  oneOf(filters, "health", "health", healths);
  const tasksOnly = booleanFilter(filters, "is-task", false);
  const exited = (filters["exited"] ?? []).map((text) => {
    if (/^-?\d+$/.test(text)) return Number(text);
    throw new EngineError("invalidArgument", `invalid filter 'exited=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  });
  for (const name of ["publish", "expose"]) for (const text of filters[name] ?? []) checkPortFilter(name, text);
  const ancestors = await ancestorIds(backends, filters["ancestor"] ?? []);
  const before = (filters["before"] ?? []).map((name) => catalog.get(name).spec.createdAt);
  const since = (filters["since"] ?? []).map((name) => catalog.get(name).spec.createdAt);
  const any = <T>(wanted: readonly T[] | undefined, test: (value: T) => boolean): boolean => wanted === undefined || wanted.length === 0 || wanted.some(test);
  return (container) =>
    // Tasks are swarm's.
    !tasksOnly &&
    matchesLabels(filters["label"], container.spec.config.Labels ?? {}) &&
    any(filters["id"], (prefix) => container.id.startsWith(prefix)) &&
    any(filters["name"], (pattern) => matchesName(pattern, container.name)) &&
    any(filters["status"], (status) => container.status === status) &&
    any(filters["health"], (health) => (healthOf(container)?.Status ?? "none") === health) &&
    any(exited, (code) => container.state.kind === "exited" && container.state.last.exitCode === code) &&
    (filters["ancestor"] === undefined || ancestors.has(container.spec.image.id)) &&
    any(before, (time) => container.spec.createdAt < time) &&
    any(since, (time) => container.spec.createdAt > time) &&
    any(filters["volume"], (volume) => container.spec.mounts.some(({ volume: v, destination, source }) => [v?.name, destination, source].includes(volume))) &&
    any(filters["network"], (network) => inNetwork(container, network)) &&
    hasPort(container, filters);
}

function oneOf(filters: Filters, name: string, what: string, allowed: readonly string[]): void {
  for (const value of filters[name] ?? []) {
    if (allowed.includes(value)) continue;
    throw new EngineError("invalidArgument", `invalid filter '${name}=${value}': invalid value for ${what} (${value}): must be one of ${allowed.join(", ")}`);
  }
}

/** Name filters are regular expressions, with or without the slash; one that is none matches as text. */
function matchesName(pattern: string, name: string): boolean {
  try {
    const regexp = new RegExp(pattern);
    return regexp.test(name) || regexp.test(`/${name}`);
  } catch {
    return name.includes(pattern);
  }
}

async function ancestorIds({ images }: ContainerBackends, references: readonly string[]): Promise<ReadonlySet<string>> {
  const ids = await Promise.all(
    references.map((reference) =>
      images.resolve(reference).then(
        ({ id }) => id,
        () => undefined,
      ),
    ),
  );
  return new Set(ids.filter((id) => id !== undefined));
}

function inNetwork(container: Container, wanted: string): boolean {
  const endpoints = { ...container.spec.endpoints, ...container.run?.sandbox.endpoints };
  return Object.entries(endpoints).some(([name, { NetworkID: id = "" }]) => name === wanted || (id !== "" && id.startsWith(wanted)));
}

function checkPortFilter(name: string, text: string): void {
  const [range = ""] = text.split("/", 1);
  const fault = rangeFault(range);
  if (fault !== undefined) throw new EngineError("invalidArgument", `error while looking up for ${name} ${text}: ${fault}`);
}

function rangeFault(range: string): string | undefined {
  if (range === "") return "Empty string specified for ports.";
  const numbers = range.split("-", 2);
  const wrong = numbers.find((number) => !/^\d+$/.test(number) || Number(number) > 65_535);
  if (wrong !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(wrong)}: ${/^\d+$/.test(wrong) ? "value out of range" : "invalid syntax"}`;
  return Number(numbers[0]) > Number(numbers.at(-1)) ? `Invalid range specified for the Port: ${range}` : undefined;
}

/** By a port of the host that leads to it, or by one of its own; ports are those of a container that runs. */
function hasPort(container: Container, { publish = [], expose = [] }: Filters): boolean {
  if (publish.length + expose.length === 0) return true;
  return portsOf(container).some(
    ({ PublicPort, PrivatePort, Type }) =>
      publish.some((wanted) => PublicPort !== undefined && matchesPort(wanted, PublicPort, Type)) ||
      expose.some((wanted) => matchesPort(wanted, PrivatePort, Type)),
  );
}

/** `80`, `80/udp`, `8000-8080/tcp`. */
function matchesPort(wanted: string, port: number, type: string): boolean {
  const [range = "", proto = "tcp"] = wanted.split("/", 2);
  const [low = "", high = low] = range.split("-", 2);
  return type === proto && port >= Number(low) && port <= Number(high);
}
