import type { ContainerSummary, ContainerStatus, PortSummary } from "#api/containers.ts";
import { plainName } from "./format.ts";
import { t } from "./texts.ts";

/** The word for a state, in English Docker's own, with the exit code where there is one. */
export function statusWord(state: ContainerStatus, status = ""): string {
  const code = state === "exited" ? /^Exited \((-?\d+)\)/.exec(status)?.[1] : undefined;
  const word = t.containers.states[state];
  return code === undefined ? word : `${word} (${code})`;
}

export type Tone = "running" | "paused" | "busy" | "idle" | "failed";

/** The colour family of a state. An exit code other than 0 is not by itself a failure of anybody. */
export function toneOf(state: ContainerStatus): Tone {
  switch (state) {
    case "running":
      return "running";
    case "paused":
      return "paused";
    case "restarting":
    case "removing":
      return "busy";
    case "created":
    case "exited":
      return "idle";
    case "dead":
      return "failed";
  }
}

export type Health = "healthy" | "unhealthy" | "starting";

/** Health is told apart from the state: Docker writes it into the status text of a running container. */
export function healthOf(status: string): Health | undefined {
  if (status.includes("(healthy)")) return "healthy";
  if (status.includes("(unhealthy)")) return "unhealthy";
  return status.includes("(health: starting)") ? "starting" : undefined;
}

const unitSeconds: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800, month: 2_592_000, year: 31_536_000 };

export interface Since {
  readonly up: boolean;
  /** Seconds, when the status was read. */
  readonly seconds: number;
}

/** How long a container is up, or ago it ended, as Docker's status text says: `Up About an hour (healthy)`, `Exited (0) 2 days ago`. */
export function sinceOf(status: string): Since | undefined {
  const match = /^(Up|Exited \(-?\d+\)|Restarting \(-?\d+\)) (?:(Less than a|About an?|\d+) (second|minute|hour|day|week|month|year))/.exec(status);
  if (match === null) return undefined;
  const [, state, amount = "", unit = ""] = match;
  const count = amount === "Less than a" ? 0 : amount.startsWith("About") ? 1 : Number(amount);
  return { up: state === "Up", seconds: count * (unitSeconds[unit] ?? 0) };
}

export const canStart = (state: ContainerStatus): boolean => state === "created" || state === "exited" || state === "dead";
export const canStop = (state: ContainerStatus): boolean => state === "running" || state === "paused" || state === "restarting";

export interface PortLink {
  /** `8080:80` or `8080:80/udp` */
  readonly text: string;
  /** Where a browser finds it; absent for UDP and for ports that are exposed, not published. */
  readonly url?: string;
  readonly published: boolean;
}

/** Published ports first, IPv4 and IPv6 bindings of one port as one link. */
export function portLinks(ports: readonly PortSummary[], host: string): readonly PortLink[] {
  const links = new Map<string, PortLink>();
  const order = [...ports].sort((a, b) => Number(b.PublicPort !== undefined) - Number(a.PublicPort !== undefined) || a.PrivatePort - b.PrivatePort);
  for (const port of order) {
    const suffix = port.Type === "tcp" ? "" : `/${port.Type}`;
    const published = port.PublicPort !== undefined && port.PublicPort !== 0;
    const text = published ? `${port.PublicPort}:${port.PrivatePort}${suffix}` : `${port.PrivatePort}/${port.Type}`;
    if (links.has(text)) continue;
    const scheme = port.PrivatePort === 443 || port.PrivatePort === 8443 ? "https" : "http";
    links.set(text, published && port.Type === "tcp" ? { text, url: `${scheme}://${host}:${port.PublicPort}`, published } : { text, published });
  }
  return [...links.values()];
}

/** Whether all words of `query` occur in what a person sees of the row. */
export function matches(query: string, ...fields: readonly (string | undefined)[]): boolean {
  const text = fields.join(" ").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export const containerMatches = (query: string, container: ContainerSummary): boolean =>
  matches(
    query,
    plainName(container.Names),
    container.Image,
    container.Id.slice(0, 12),
    container.State,
    ...container.Ports.map((p) => `${p.PublicPort ?? ""}`),
  );
