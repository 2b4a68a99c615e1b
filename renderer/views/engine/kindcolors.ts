import type { UseKind } from "#renderer/core/diskuse.ts";

export const kindColors: Readonly<Record<UseKind, string>> = {
  images: "var(--chart-1)",
  containers: "var(--chart-2)",
  volumes: "var(--ok)",
  cache: "var(--idle)",
};
