/** Answer of `GET /slipway/containers/{id}/why`: why a container ended, does not start, or is not well. */
export interface Why {
  readonly Id: string;
  readonly Name: string;
  readonly Status: string;
  /** Null: nothing is wrong, as far as can be told. */
  readonly Explanation: WhyExplanation | null;
}

/** Answer of `GET /slipway/images/{name}/why`: why the last pull of that name failed, since this engine started. */
export interface PullWhy {
  readonly Reference: string;
  /** RFC 3339. */
  readonly FailedAt?: string;
  /** Null: none has, or one after it went well. */
  readonly Explanation: WhyExplanation | null;
}

/** Answer of `GET /slipway/builds/{ref}/why`. */
export interface BuildWhy {
  readonly Ref: string;
  readonly State: string;
  /** Null: it did not fail. */
  readonly Explanation: WhyExplanation | null;
}

export interface WhyExplanation {
  /** The rule's name, for programs. */
  readonly Rule: string;
  /** One sentence. */
  readonly Verdict: string;
  /** What was found, most telling first: lines of output, figures, the engine's own words. */
  readonly Evidence: readonly string[];
  /** One thing to do. */
  readonly Fix: string;
}
