import { type FailureRule, sayings } from "#api/failure.ts";

/** What is known of a machine that did not start. */
export interface StartFacts {
  /** What the start ended with. */
  readonly error: string;
  /** What the guest, or an engine without one, printed last. */
  readonly printed: readonly string[];
  readonly platform: NodeJS.Platform;
  readonly memoryMiB?: number;
}

/** How an engine that cannot start begins what it says of it. */
export const engineComplaint = "slipway engine: ";

export type StartRule = FailureRule<StartFacts>;

const evidenceLinesMax = 4;
/** Lines of a console that name a failure. */
const telling = /Kernel panic|Out of memory|slipway engine: |slipway-step: \S+ fail|I\/O error|XFS .*(?:corrupt|error)|EROFS.*error|\(erofs\)/i;

export const evidenceOf = ({ error, printed }: StartFacts): readonly string[] => {
  const said = printed.filter((line) => telling.test(line)).map((line) => line.trim());
  return [error, ...new Set(said.slice(-evidenceLinesMax))];
};

/** Makes rules that go by the words of the error. */
export const byError = sayings<StartFacts>(({ error }) => error, evidenceOf);

/** Makes rules that go by what was printed. */
export const byPrinted = sayings<StartFacts>(({ printed }) => printed.join("\n"), evidenceOf);
