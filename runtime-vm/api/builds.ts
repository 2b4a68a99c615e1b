/** What `/slipway/builds` tells of builds; of this engine's own, Docker's API has no such call. Dates are RFC 3339. */
export interface BuildSummary {
  readonly ref: string;
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly created: string;
  readonly completed?: string;
  readonly error?: string;
  readonly steps: { readonly total: number; readonly completed: number; readonly cached: number; readonly warnings: number };
  readonly options: BuildOptions;
}

/** What a build was asked for. */
export interface BuildOptions {
  /** The folder of the client's computer; "" when the client did not name it. */
  readonly folder: string;
  /** Path in the folder. */
  readonly dockerfile: string;
  readonly target: string;
  readonly platform: string;
  readonly tags: readonly string[];
  readonly args: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly pull: boolean;
}

/** `GET /slipway/builds/{ref}` */
export interface BuildDetails extends BuildSummary {
  readonly source?: BuildSource;
  readonly updates: readonly BuildUpdate[];
}

/** The Dockerfile of a build that failed, and its lines, from 1, that failed. */
export interface BuildSource {
  readonly filename: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** News of steps: a step is told again whenever it has changed. */
export interface BuildUpdate {
  readonly steps: readonly BuildStep[];
  readonly logs: readonly { readonly step: string; readonly text: string }[];
}

export interface BuildStep {
  readonly id: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started?: string;
  readonly completed?: string;
  readonly error?: string;
}

/** A line of the answer to `POST /slipway/builds`; the last is `image` or `error`. */
export type BuildMessage =
  | { readonly ref: string }
  | { readonly update: BuildUpdate }
  | { readonly image: string }
  | { readonly error: string; readonly cancelled: boolean; readonly source?: BuildSource };

/** What BuildKit says behind `POST /build?version=2`. */
export type PostedMessage =
  /** A StatusResponse of moby.buildkit.v1.Control, in base64. */
  | { readonly id: "moby.buildkit.trace"; readonly aux: string }
  | { readonly id: "moby.image.id"; readonly aux: { readonly ID: string } }
  | { readonly stream: string }
  | { readonly errorDetail: { readonly message: string }; readonly error: string };
