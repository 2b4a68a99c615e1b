import { EngineError } from "#base/errors.ts";

/** The newest and the oldest API version served. */
export const apiVersion = "1.51";
export const apiVersionMin = "1.24";
/** The release of the reference engine whose answers ours follow. */
export const engineVersion = "28.5.2";

/** A version a request was made with: checked to lie between `apiVersionMin` and `apiVersion`. */
export type ApiVersion = string & { readonly brand: "ApiVersion" };

/** Compares dotted versions number by number: negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The version named in a path (absent: the newest), refused in Docker's words when this engine does not speak it. */
export function parseApiVersion(text: string | undefined): ApiVersion {
  if (text === undefined) return apiVersion as ApiVersion;
  if (compareVersions(text, apiVersionMin) < 0) {
    const hint = "please upgrade your client to a newer version";
    throw new EngineError("invalidArgument", `client version ${text} is too old. Minimum supported API version is ${apiVersionMin}, ${hint}`);
  }
  if (compareVersions(text, apiVersion) > 0) {
    throw new EngineError("invalidArgument", `client version ${text} is too new. Maximum supported API version is ${apiVersion}`);
  }
  return text as ApiVersion;
}

/**
 * What changed for clients, and in which version: the one place that knows. `since`: from this version on; a gate that
 * names a removal is asked with `not`.
 */
export const gates = {
  /** `attach` and exec name their framing in Content-Type (`application/vnd.docker.multiplexed-stream`). */
  multiplexedContentType: "1.42",
  /** `attach/ws` heeds stdin, stdout and stderr; before, all are meant. */
  webSocketStreams: "1.42",
  /** `GET /containers/{id}/stats?one-shot=1`. */
  oneShotStats: "1.41",
  /** `ConsoleSize` of exec and of create. */
  consoleSize: "1.42",
  /** `wait` knows conditions other than not-running. */
  waitConditions: "1.30",
  /** `--mount type=image`. */
  imageMounts: "1.48",
  /** `ImageManifestDescriptor` in container answers. */
  manifestDescriptor: "1.48",
  /** `Descriptor` of images in list and inspect. */
  imageDescriptor: "1.48",
  /** `VirtualSize` of images is gone. */
  noVirtualSize: "1.44",
  /** `Manifests` of images in the list. */
  imageManifests: "1.47",
  /** `Manifests` of one inspected image. */
  inspectedManifests: "1.48",
  /** The configuration of an image holds what an image can say, and no fields of containers. */
  leanImageConfig: "1.50",
  /** `status` of runtimes in `/info`. */
  runtimeStatus: "1.44",
  /** `RegistryConfig` of `/info` has no more `AllowNondistributableArtifacts...`. */
  noNondistributable: "1.47",
  /** Commits in `/info` have no more `Expected`. */
  noExpectedCommits: "1.49",
  /** `FirewallBackend` in `/info`. */
  firewallBackend: "1.49",
  /** `DiscoveredDevices` in `/info`. */
  discoveredDevices: "1.50",
  /** `/info` has no more `BridgeNfIptables`. */
  noBridgeNetfilter: "1.50",
  /** `/system/df?type=`. */
  diskUsageTypes: "1.42",
  /** The list of networks does not tell who is connected. */
  networkListWithoutContainers: "1.28",
  /** Creating a network takes `EnableIPv4`. */
  networkEnableIPv4: "1.47",
  /** Pruning volumes spares named ones unless `all` is asked. */
  pruneSparesNamedVolumes: "1.42",
} as const;

export type Gate = keyof typeof gates;

/** Whether `version` is one of those that have `gate`. */
export const has = (version: ApiVersion, gate: Gate): boolean => compareVersions(version, gates[gate]) >= 0;
