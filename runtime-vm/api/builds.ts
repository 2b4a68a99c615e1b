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
  /** What the build could not have been faster than (`criticalPath`). */
  readonly criticalPath: readonly string[];
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

/**
 * The steps, in their order, whose times add up to the whole build's: the one that ended last, before it the one whose end it waited for,
 * and so on. A step begins as soon as the last of those it needs has ended, which is how that one is told. Empty while nothing has ended.
 */
export function criticalPath(steps: readonly BuildStep[]): readonly string[] {
  const ended = steps.flatMap(({ id, started, completed }) =>
    started === undefined || completed === undefined ? [] : [{ id, from: Date.parse(started), to: Date.parse(completed) }],
  );
  const path: string[] = [];
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const last = ended.filter(({ id, to }) => to <= before && !path.includes(id)).reduce<(typeof ended)[number] | undefined>(later, undefined);
    if (last === undefined) return path.toReversed();
    path.push(last.id);
    before = last.from;
  }
}

/** Of two that ended together the longer one was waited for. */
const later = <T extends { readonly from: number; readonly to: number }>(a: T | undefined, b: T): T =>
  a === undefined || b.to > a.to || (b.to === a.to && b.from < a.from) ? b : a;
