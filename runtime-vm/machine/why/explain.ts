import { explainFailure } from "#api/failure.ts";
import type { MachineStatus } from "#api/machine.ts";
import type { StartFacts, StartRule } from "./facts.ts";
import { guestRules } from "./guest-rules.ts";
import { hostRules } from "./host-rules.ts";

type StartError = NonNullable<MachineStatus["error"]>;

const linesMax = 4;
const startFailed: StartRule = {
  name: "start-failed",
  find: ({ error, printed }) => ({
    verdict: "The machine did not start.",
    evidence: [error, ...printed.slice(-linesMax)],
    fix: "Start it once more; with --debug it says more.",
  }),
};

/** What a start that failed is shown with: why it did, and what to do. `hint` says where there is more. */
export function startError(facts: StartFacts, hint?: string): StartError {
  const why = explainFailure([...hostRules, ...guestRules, startFailed], facts);
  return { message: facts.error, ...(hint === undefined ? {} : { hint }), ...(why === undefined ? {} : { why }) };
}

/** As a terminal shows it. */
export function errorLines({ message, hint, why }: StartError): string {
  const more = hint === undefined ? [] : [hint];
  return why === undefined ? [message, ...more].join(". ") : [message, `  why: ${why.Verdict}`, `  fix: ${why.Fix}`, ...more].join("\n");
}
