import type { WhyExplanation } from "#api/why.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { EngineFailure } from "./engine/request.ts";
import { t } from "./texts.ts";

/** A failure for people: what failed on what object, why, what to do; the raw words stay under Details. */
export interface Explanation {
  readonly title: string;
  readonly reason: string;
  readonly advice?: string;
  readonly details: string;
}

/** `what`: the failed act with its object, as in "Could not start web". */
export function explain(error: unknown, what: string): Explanation {
  const words = withoutPrefix(messageOf(error));
  const advice = unreached.test(words) ? t.errors.adviceUnreached : adviceFor(error);
  return {
    title: what,
    reason: sentence(words),
    ...(advice !== undefined && { advice }),
    details: detailsOf(error),
  };
}

/** A failure that the engine has a verdict on, which says more than the error's words; they are in its evidence. */
export function explainBy(why: WhyExplanation | null, error: unknown, what: string): Explanation {
  if (why === null) return explain(error, what);
  return { title: what, reason: why.Verdict, advice: why.Fix, details: why.Evidence.join("\n") };
}

/** What the engine says, as Docker words it, when it cannot reach a registry. */
const unreached = /\b(?:dial tcp|no such host|connection refused|i\/o timeout|network is unreachable|certificate|registry has not answered)\b/i;

function adviceFor(error: unknown): string | undefined {
  if (!(error instanceof EngineError)) return undefined;
  switch (error.class) {
    case "unavailable":
      return t.errors.adviceUnavailable;
    case "notFound":
      return t.errors.adviceNotFound;
    case "unauthorized":
      return t.errors.adviceUnauthorized;
    case "exhausted":
      return t.errors.adviceExhausted;
    case "notImplemented":
      return t.errors.adviceNotImplemented;
    case "conflict":
    case "invalidArgument":
    case "forbidden":
    case "notModified":
    case "cancelled":
    case "internal":
      return undefined;
  }
}

function detailsOf(error: unknown): string {
  if (error instanceof EngineFailure) return `${error.call}\nHTTP ${error.status}\n${error.message}`;
  const cause = error instanceof Error && error.cause !== undefined ? `\n${messageOf(error.cause)}` : "";
  return `${messageOf(error)}${cause}`;
}

/** Daemons and clients pile up prefixes; none of them tells anything. */
const withoutPrefix = (words: string): string => words.replace(/^(?:Error response from daemon:\s*|Error:\s*)+/i, "").trim();

function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
