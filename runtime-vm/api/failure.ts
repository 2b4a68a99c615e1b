import type { WhyExplanation } from "./why.ts";

export interface Finding {
  readonly verdict: string;
  readonly evidence: readonly string[];
  readonly fix: string;
}

/** A rule over the facts of one kind of failure. */
export interface FailureRule<Facts> {
  readonly name: string;
  readonly find: (facts: Facts) => Finding | undefined;
}

/** The first rule that finds something has the verdict: certain things come first. */
export function explainFailure<Facts>(rules: readonly FailureRule<Facts>[], facts: Facts): WhyExplanation | undefined {
  for (const { name, find } of rules) {
    const found = find(facts);
    if (found !== undefined) return { Rule: name, Verdict: found.verdict, Evidence: found.evidence, Fix: found.fix };
  }
  return undefined;
}

type Say<Facts> = (match: RegExpExecArray, facts: Facts) => Omit<Finding, "evidence">;

/** Makes rules that know their failure by the error's words. */
export function sayings<Facts>(errorOf: (facts: Facts) => string, evidenceOf: (facts: Facts) => readonly string[]) {
  return (name: string, pattern: RegExp, say: Say<Facts>): FailureRule<Facts> => ({
    name,
    find: (facts) => {
      const match = pattern.exec(errorOf(facts));
      return match === null ? undefined : { ...say(match, facts), evidence: evidenceOf(facts) };
    },
  });
}
