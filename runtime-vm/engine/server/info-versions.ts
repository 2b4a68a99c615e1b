import { existsSync, readFileSync } from "node:fs";
import { type ApiVersion, has } from "#api/versions.ts";

type Info = Readonly<Record<string, unknown>>;

/** `/info` as clients of `version` know it. */
export function infoFor(version: ApiVersion, { FirewallBackend: firewall, DiscoveredDevices: devices, ...info }: Info): Info {
  return {
    ...info,
    ...(has(version, "firewallBackend") ? { FirewallBackend: firewall } : {}),
    ...(devices !== undefined && has(version, "discoveredDevices") ? { DiscoveredDevices: devices } : {}),
    ...(has(version, "noExpectedCommits") ? {} : expectedCommits(info)),
    ...(has(version, "noBridgeNetfilter") ? {} : { BridgeNfIptables: bridgeCalls("iptables"), BridgeNfIp6tables: bridgeCalls("ip6tables") }),
    ...(has(version, "noNondistributable") ? {} : { RegistryConfig: { ...nothingNondistributable, ...(info["RegistryConfig"] as object) } }),
    ...(has(version, "runtimeStatus") ? {} : { Runtimes: withoutStatus(info["Runtimes"] as Record<string, object>) }),
  };
}

const nothingNondistributable = { AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null };

/** What is there was expected. An empty one is left out, as Go does. */
function expectedCommits(info: Info): Info {
  const commits = ["ContainerdCommit", "RuncCommit", "InitCommit"].map((name) => {
    const { ID } = info[name] as { ID: string };
    return [name, { ID, ...(ID === "" ? {} : { Expected: ID }) }] as const;
  });
  return Object.fromEntries(commits);
}

function bridgeCalls(name: "iptables" | "ip6tables"): boolean {
  const path = `/proc/sys/net/bridge/bridge-nf-call-${name}`;
  return existsSync(path) && readFileSync(path).toString("utf8").trim() === "1";
}

const withoutStatus = (runtimes: Record<string, object>): Record<string, object> =>
  Object.fromEntries(
    Object.entries(runtimes).map(([name, runtime]) => {
      const { status: _, ...older } = runtime as { status?: unknown };
      return [name, older];
    }),
  );
