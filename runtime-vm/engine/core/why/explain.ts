import type { WhyExplanation } from "#api/why.ts";
import type { Finding } from "#api/failure.ts";
import type { Facts, Rule } from "./facts.ts";
import { endRules } from "./rules-end.ts";
import { killRules } from "./rules-kill.ts";
import { outputRules } from "./rules-output.ts";
import { seconds } from "./quantities.ts";
import { startRules } from "./rules-start.ts";

/** Of a run that is over. The first that finds something is the verdict: what is known for certain goes before what the output says, that before what a code usually means. */
const causes: readonly Rule[] = [...killRules, ...outputRules, ...endRules];

/** Restarts after which it is a loop. */
const loopMin = 2;
/** Who ran this long came up well. */
const steadyMs = 10_000;

/** The one verdict on a container; undefined where nothing is wrong. */
export function explainContainer(facts: Facts): WhyExplanation | undefined {
  if (looping(facts)) return loopExplanation(facts);
  if (facts.status === "running" || facts.status === "paused" || facts.status === "removing") return unhealthy(facts);
  return causeOf(facts);
}

function causeOf(facts: Facts): WhyExplanation | undefined {
  if (facts.startError !== "") return first(startRules, facts);
  if (!facts.ran || (facts.exitCode === 0 && !facts.oomKilled)) return undefined;
  return first(causes, facts);
}

function first(rules: readonly Rule[], facts: Facts): WhyExplanation | undefined {
  for (const { name, find } of rules) {
    const found = find(facts);
    // Stopped as somebody wished.
    if (found === "well") return undefined;
    if (found !== undefined) return explanation(name, found);
  }
  return undefined;
}

const explanation = (rule: string, { verdict, evidence, fix }: Finding): WhyExplanation => ({ Rule: rule, Verdict: verdict, Evidence: evidence, Fix: fix });

function looping({ status, restarts }: Facts): boolean {
  if (restarts.count < loopMin) return false;
  return status === "restarting" || (status === "running" && restarts.ranMs < steadyMs);
}

function loopExplanation(facts: Facts): WhyExplanation {
  const { count, everyMs, policy } = facts.restarts;
  const cause = causeOf(facts);
  const period = everyMs === undefined ? "" : `, about every ${seconds(everyMs)}`;
  const ends = facts.exitCode === 0 ? "ends by itself with exit code 0" : `fails with exit code ${facts.exitCode}`;
  return {
    Rule: "restart-loop",
    Verdict: `The container ${ends} and is started again by its restart policy ${policy}, over and over${period}.`,
    Evidence: [`${count} restarts so far`, ...(cause === undefined ? facts.lines.slice(-5) : [cause.Verdict, ...cause.Evidence])],
    Fix: cause?.Fix ?? "Give it a command that stays in the foreground, or a policy that lets it end: docker update --restart on-failure " + facts.name,
  };
}

function unhealthy({ health, name }: Facts): WhyExplanation | undefined {
  if (health?.Status !== "unhealthy") return undefined;
  const last = health.Log?.at(-1);
  const outputs = (health.Log ?? [])
    .slice(-3)
    .map(({ End, ExitCode, Output }) => `${End}: exit code ${ExitCode}${Output.trim() === "" ? ", no output" : `: ${Output.trim()}`}`);
  return {
    Rule: "unhealthy",
    Verdict: `The health check of ${name} has failed ${health.FailingStreak} times in a row${last === undefined ? "" : `, last with exit code ${last.ExitCode}`}; the program itself runs.`,
    Evidence: outputs.toReversed(),
    Fix: `Run the check by hand: docker exec ${name} followed by the words of docker inspect -f '{{json .Config.Healthcheck.Test}}' ${name}`,
  };
}
