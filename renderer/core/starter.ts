import type { ImageSummary } from "#api/images.ts";

export const starterImage = "slipway/welcome";

/** The engine unpacks it after its first answer; software emulation takes its time. */
const unpackMsMax = 150_000;

/**
 * The image that comes with Slipway: `here`, still being unpacked by an engine that has just started for the first
 * time (it has no other image then), or `gone`, since somebody deleted it.
 */
export type StarterState = "here" | "coming" | "gone";

export function starterState(images: readonly ImageSummary[] | undefined, runningSince: number | undefined, now: number): StarterState {
  if (images?.some(({ RepoTags }) => RepoTags?.includes(`${starterImage}:latest`)) === true) return "here";
  if (images !== undefined && images.length > 0) return "gone";
  return runningSince === undefined || now - runningSince < unpackMsMax ? "coming" : "gone";
}
