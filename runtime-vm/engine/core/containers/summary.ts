import type { ContainerSummary, PortSummary } from "#api/containers.ts";
import type { EndpointSettings, PortMap } from "#api/networks.ts";
import { parseNano } from "../clock/clock.ts";
import { commandOf } from "../specs/merge.ts";
import type { Container } from "./container.ts";
import { mountPoint } from "./mounts.ts";
import type { Ended } from "./record.ts";
import { humanDuration } from "./units.ts";

/** A row of `GET /containers/json`. `image` is shown instead of the reference when that now names another image. */
export function summarize(
  container: Container,
  opts: { image: string; linkNames: readonly string[]; size: { rw: number; rootFs: number } | undefined },
): ContainerSummary {
  const { spec } = container;
  const { Annotations, NetworkMode = "" } = spec.hostConfig;
  return {
    Id: container.id,
    Names: [`/${container.name}`, ...opts.linkNames],
    Image: opts.image,
    ImageID: spec.image.id,
    ...(spec.image.manifest === undefined ? {} : { ImageManifestDescriptor: spec.image.manifest }),
    Command: shownCommand(commandOf(spec.config)),
    Created: Number((parseNano(spec.createdAt) ?? 0n) / 1_000_000_000n),
    Ports: portsOf(container),
    ...(opts.size === undefined ? {} : { SizeRw: opts.size.rw, SizeRootFs: opts.size.rootFs }),
    Labels: { ...spec.config.Labels },
    State: container.status,
    Status: statusLine(container, Date.now()),
    HostConfig: { NetworkMode, ...(Annotations ? { Annotations } : {}) },
    NetworkSettings: { Networks: networksOf(container) },
    Mounts: spec.mounts.map(mountPoint),
  };
}

/** Arguments with spaces are quoted; the rest is as it was typed. */
function shownCommand(words: readonly string[]): string {
  return words.map((word, i) => (i > 0 && word.includes(" ") ? `'${word}'` : word)).join(" ");
}

export function networksOf(container: Container): ContainerSummary["NetworkSettings"]["Networks"] {
  const known = container.run?.sandbox.endpoints ?? {};
  return Object.fromEntries(
    Object.entries({ ...container.spec.endpoints, ...known }).map(([name, endpoint]) => [
      name,
      {
        IPAMConfig: null,
        Links: null,
        Aliases: null,
        MacAddress: "",
        DriverOpts: null,
        GwPriority: 0,
        NetworkID: "",
        EndpointID: "",
        Gateway: "",
        IPAddress: "",
        IPPrefixLen: 0,
        IPv6Gateway: "",
        GlobalIPv6Address: "",
        GlobalIPv6PrefixLen: 0,
        DNSNames: null,
        ...endpoint,
        ...(known[name] === undefined ? remembered(container.lastEndpoints[name]) : {}),
      },
    ]),
  );
}

/** Of a network that was left at the end of a run: which it is, and how the container was called there. */
const remembered = (last: EndpointSettings | undefined): Pick<EndpointSettings, "NetworkID" | "DNSNames"> =>
  last === undefined ? {} : { NetworkID: last.NetworkID ?? "", DNSNames: last.DNSNames ?? null };

/** Published and exposed ports; what is only exposed has no public one. */
export function portsOf(container: Container): PortSummary[] {
  const { run, spec } = container;
  if (run === undefined) return [];
  const exposed: PortMap = Object.fromEntries(Object.keys(spec.config.ExposedPorts ?? {}).map((port) => [port, null]));
  return Object.entries({ ...exposed, ...run.sandbox.ports }).flatMap(([port, bindings]): PortSummary[] => {
    const [number = "", Type = "tcp"] = port.split("/", 2);
    const PrivatePort = Number(number);
    if (bindings === null || bindings.length === 0) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type }));
  });
}

/** "Up 5 minutes (healthy)", "Exited (0) 3 seconds ago". */
export function statusLine(container: Container, nowMs: number): string {
  const { state } = container;
  if (container.removing) return "Removal In Progress";
  const since = (time: string): string => humanDuration((nowMs - Number((parseNano(time) ?? 0n) / 1_000_000n)) / 1_000);
  const ended = ({ exitCode, finishedAt }: Ended): string => `(${exitCode}) ${since(finishedAt)} ago`;
  switch (state.kind) {
    case "created":
      return "Created";
    case "restarting":
      return `Restarting ${ended(state.last)}`;
    case "exited":
      return `Exited ${ended(state.last)}`;
    case "running": {
      const up = `Up ${since(state.run.startedAt)}`;
      if (state.paused) return `${up} (Paused)`;
      const health = state.run.health?.state.Status;
      if (health === undefined) return up;
      return `${up} (${health === "starting" ? "health: starting" : health})`;
    }
  }
}
