/** What `/slipway/compose` is asked for and answers; of this engine's own, Docker's API knows no projects. */
export interface ComposeProjectSource {
  /** Where relative paths of the files begin, absolute. */
  readonly folder: string;
  /** Absolute, each over the ones before. */
  readonly files: readonly string[];
  /** "": as the files or the folder name it. */
  readonly project: string;
  /** What `~` means in the files; "" when nobody knows. */
  readonly home: string;
}

export interface ComposeActOptions {
  readonly verb: ComposeVerb;
  /** None: all of them. */
  readonly services: readonly string[];
  /** How many containers a service has: of `up` and `scale`. */
  readonly scale: Readonly<Record<string, number>>;
  /** Of `up`: images are built again first. */
  readonly build: boolean;
  /** Of `up` and `down`: containers of services that the files no longer name go. */
  readonly removeOrphans: boolean;
  /** Of `down`. */
  readonly volumes: boolean;
  /** Of `up`: told, not done. */
  readonly dryRun: boolean;
}

export const composeVerbs = ["up", "down", "start", "stop", "restart", "scale", "pull", "build"] as const;
export type ComposeVerb = (typeof composeVerbs)[number];

/** One JSON line of the answer to `POST /slipway/compose/act`: what compose says, how it ended, or why it could not be begun. */
export type ComposeMessage = { readonly line: string } | { readonly exit: number } | { readonly error: string };

/** `POST /slipway/compose/check` */
export interface ComposeCheck {
  /** The project as compose understands it (`config --format json`), when it does. */
  readonly model?: unknown;
  /** What `com.docker.compose.config-hash` would be, by service. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** compose's own words, when it does not. */
  readonly error?: string;
  readonly warnings: readonly string[];
}
