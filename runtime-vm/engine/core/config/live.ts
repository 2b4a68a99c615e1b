import type { EngineConfig } from "./config.ts";
import { readDocument } from "./document.ts";
import type { EngineFlags } from "./flags.ts";
import { defaults, resolveConfig } from "./load.ts";

/** The fields a reload may change, by the key of the file that they come from. A key that is not in the file leaves its field as it is. */
const reloadable = {
  debug: "debug",
  "log-level": "logLevel",
  labels: "labels",
  "insecure-registries": "insecureRegistries",
  "registry-mirrors": "registryMirrors",
  "live-restore": "liveRestore",
  "shutdown-timeout": "shutdownTimeoutSeconds",
  runtimes: "runtimes",
  "default-runtime": "defaultRuntime",
  "default-shm-size": "shmSizeBytes",
  "default-ipc-mode": "ipcMode",
  "default-cgroupns-mode": "cgroupnsMode",
  slipway: "trash",
  "slipway.trash": "trash",
} as const satisfies Readonly<Record<string, keyof EngineConfig>>;

/** These go back to their default when the file says nothing. */
const resetting = {
  "max-concurrent-downloads": "maxConcurrentDownloads",
  "max-concurrent-uploads": "maxConcurrentUploads",
  "max-download-attempts": "maxDownloadAttempts",
  features: "features",
} as const satisfies Readonly<Record<string, keyof EngineConfig>>;

export interface Reloaded {
  /** Of the event `daemon reload`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Keys whose new value counts from the next start on. */
  readonly waiting: readonly string[];
  /** Of the file that was read. */
  readonly warnings: readonly string[];
}

/** The configuration while it may change: `view` always reads what counts now, so whoever holds it needs not be told. */
export class LiveConfig {
  readonly view: EngineConfig;
  readonly #flags: EngineFlags;
  #current: EngineConfig;

  constructor(flags: EngineFlags, file: string | undefined) {
    this.#flags = flags;
    this.#current = resolveConfig(flags, file);
    const field = (name: keyof EngineConfig) => [name, { enumerable: true, get: () => this.#current[name] }] as const;
    const names = new Set([...(Object.keys(this.#current) as (keyof EngineConfig)[]), "group" as const]);
    this.view = Object.defineProperties({}, Object.fromEntries([...names].map(field))) as EngineConfig;
  }

  /** Takes over what may change while the engine runs. Everything or nothing: a file that cannot be read changes nothing. */
  reload(file: string): Reloaded {
    const before = this.#current;
    const next = resolveConfig(this.#flags, file);
    const { given } = readDocument(file, this.#flags.config ?? "daemon.json", this.#flags);
    const changes: Record<string, unknown> = { warnings: next.warnings };
    for (const [key, field] of Object.entries(reloadable)) if (given.has(key)) changes[field] = next[field];
    for (const [key, field] of Object.entries(resetting)) changes[field] = given.has(key) ? next[field] : defaults[field];
    const waiting = waitingFields(before, next);
    this.#current = Object.freeze({ ...before, ...changes });
    return { attributes: attributesOf(this.#current), waiting, warnings: next.warnings };
  }
}

/** What differs and counts from the next start on only. */
export function waitingFields(before: EngineConfig, next: EngineConfig): readonly string[] {
  const live = new Set<string>([...Object.values(reloadable), ...Object.values(resetting), "warnings"]);
  const differs = (field: keyof EngineConfig): boolean => JSON.stringify(next[field]) !== JSON.stringify(before[field]);
  return (Object.keys(next) as (keyof EngineConfig)[]).filter((field) => !live.has(field) && differs(field));
}

/** What dockerd tells of a reload, as Go prints it. */
function attributesOf(config: EngineConfig): Record<string, string> {
  const features = Object.entries(config.features).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const runtimes = Object.entries(config.runtimes).map(([name, runtime]) => `${name}:${runtime.kind === "oci" ? runtime.path : ""}`);
  return {
    debug: String(config.debug),
    "default-cgroupns-mode": config.cgroupnsMode,
    "default-ipc-mode": config.ipcMode,
    "default-runtime": config.defaultRuntime,
    "default-shm-size": String(config.shmSizeBytes),
    features: `map[${features.map(([name, on]) => `${name}:${on}`).join(" ")}]`,
    "insecure-registries": JSON.stringify(config.insecureRegistries),
    labels: JSON.stringify(config.labels),
    "live-restore": String(config.liveRestore),
    "max-concurrent-downloads": String(config.maxConcurrentDownloads),
    "max-concurrent-uploads": String(config.maxConcurrentUploads),
    "max-download-attempts": String(config.maxDownloadAttempts),
    "registry-mirrors": JSON.stringify(config.registryMirrors),
    runtimes: runtimes.join(" "),
    "shutdown-timeout": String(config.shutdownTimeoutSeconds),
  };
}
