import { count } from "#renderer/core/format.ts";

/** Texts of the page that searches the output of everything that ever ran. */
export const logTexts = {
  logSearch: {
    title: "Logs",
    hint: "Output of every container, also of those that were removed",
    text: "Text to find in all logs",
    regex: "Regular expression",
    ignoreCase: "Any case",
    level: "Level",
    levels: {
      "": "Any level",
      trace: "Trace and above",
      debug: "Debug and above",
      info: "Info and above",
      warn: "Warning and above",
      error: "Error and above",
      fatal: "Fatal",
    },
    within: "Time",
    spans: { 900: "Last 15 minutes", 3600: "Last hour", 86400: "Last 24 hours", 0: "Everything kept" },
    container: "Container",
    containerPlaceholder: "All containers",
    search: "Search",
    running: "Searching…",
    results: "Lines found",
    removed: "removed",
    removedTip: "This container is gone. Its output is kept for the days and the size set in daemon.json.",
    start: "started",
    die: (code: number | undefined) => `ended with exit code ${code ?? 0}`,
    sums: (hits: number, containers: number, megabytes: string, ms: number) =>
      `${count(hits, "line")} in ${count(containers, "container")}, ${megabytes} in ${ms} ms of CPU`,
    truncated: (max: number) => `The first ${max.toLocaleString("en")} lines are shown. Narrow the search to see others.`,
    failed: "Could not search the logs",
    startTitle: "Nothing a container said is lost",
    startText: "Search what every container printed, running, stopped or removed. Press Enter with an empty text to see the newest lines.",
    noneTitle: "No line matches",
    noneText: "Try any case, a longer time or all containers.",
  },
} as const;
