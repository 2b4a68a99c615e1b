import type { ContainerSummary } from "#api/containers.ts";
import { plainName } from "./format.ts";

/** Names of the containers, running or not, that mount the volume. */
export const volumeUsers = (containers: readonly ContainerSummary[], volume: string): readonly string[] =>
  containers.filter(({ Mounts }) => Mounts.some((mount) => mount.Type === "volume" && mount.Name === volume)).map(({ Names }) => plainName(Names));
