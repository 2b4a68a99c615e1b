/** The names of what TanStack Query holds: one key an answer of the engine. A key is a prefix of the more exact ones. */
export const keys = {
  containers: ["containers"],
  container: (id: string) => ["container", id],
  why: (id: string) => ["container", id, "why"],
  /** Not below the container's own: their views ask anew by themselves. */
  processes: (id: string) => ["processes", id],
  files: (id: string, path: string) => ["files", id, path],
  fileText: (id: string, path: string) => ["file-text", id, path],
  changes: (id: string) => ["changes", id],
  images: ["images"],
  image: (name: string) => ["image", name],
  imageHistory: (id: string) => ["image", id, "history"],
  builds: ["builds"],
  build: (ref: string) => ["builds", ref],
  volumes: ["volumes"],
  volume: (name: string) => ["volume", name],
  usage: ["usage"],
  diskUse: ["disk-use"],
  networks: ["networks"],
  network: (id: string) => ["network", id],
  info: ["info"],
  hostInfo: ["host", "info"],
  settings: ["host", "settings"],
  settingsDefaults: ["host", "settings-defaults"],
  daemonConfig: ["host", "config"],
  context: ["host", "context"],
  diagnostics: ["host", "diagnostics"],
} as const;

export type Key = readonly unknown[];
