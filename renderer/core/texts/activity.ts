import { decimal } from "#renderer/core/format.ts";

/** Texts about what the window has done. */
export const activityTexts = {
  activity: {
    title: "Activity",
    tip: "What this window has had the engine do, as docker commands and API calls",
    empty: "Each act of this window is listed here with the docker command and the API call it stands for.",
    clear: "Clear the list",
    took: (ms: number) => (ms < 1000 ? `${ms} ms` : `${decimal(ms / 1000)} s`),
    results: { running: "under way", done: "done", failed: "failed" },
    copyCommand: "Copy the docker command",
    copyCall: "Copy as curl",
    body: "Body",
  },
} as const;
