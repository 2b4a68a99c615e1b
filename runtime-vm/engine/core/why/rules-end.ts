import type { Finding } from "#api/failure.ts";
import type { Facts, Rule } from "./facts.ts";
import { endedBy, signalName } from "./rules-kill.ts";

/** What is left to say of a program that failed without telling why: who may have sent its signal, and what its code means by convention. */
export const endRules: readonly Rule[] = [
  { name: "aborted", find: aborted },
  { name: "signalled", find: signalled },
  { name: "exit-code", find: byCode },
];

function aborted(facts: Facts): Finding | undefined {
  const signal = endedBy(facts);
  if (signal === undefined || signalName(signal) !== "SIGABRT") return undefined;
  return {
    verdict: "The program gave itself up (abort).",
    evidence: [`exit code ${facts.exitCode} = 128 + SIGABRT`, ...facts.lines.slice(-5)],
    fix: `What it said last tells why: docker logs ${facts.name}`,
  };
}

function signalled(facts: Facts): Finding | undefined {
  const signal = endedBy(facts);
  if (signal === undefined) return undefined;
  const name = signalName(signal);
  return {
    verdict: `It was ended by ${name}, which nobody sent through this engine.`,
    evidence: [`exit code ${facts.exitCode} = 128 + ${signal}`, "a process of the container, or somebody on the host, sent it", ...facts.lines.slice(-3)],
    fix:
      name === "SIGKILL"
        ? `Look for who killed it: dmesg tells of the kernel; then docker start ${facts.name}`
        : `Start it again if that was not meant: docker start ${facts.name}`,
  };
}

/** Shells' and sysexits(3)' meanings. */
const meanings: Readonly<Record<number, string>> = {
  2: "a wrong use of the command, such as an unknown option",
  64: "a wrong use of the command",
  65: "bad input",
  66: "an input that cannot be opened",
  67: "an unknown user",
  68: "an unknown host",
  69: "a service that is not there",
  70: "a fault in the program",
  71: "a failure of the system",
  72: "a missing system file",
  73: "an output that cannot be made",
  74: "a failed read or write",
  75: "a failure that may pass: try again",
  76: "a breach of a protocol",
  77: "a missing right",
  78: "a wrong configuration",
  125: "a failure of the command that was to run it",
  126: "a command that is there and cannot be run",
  127: "a command that was not found",
  255: "a code out of range, such as -1, or a failure of ssh",
};

function byCode({ exitCode, lines, name, restarts }: Facts): Finding {
  const meaning = meanings[exitCode];
  const again = restarts.count === 0 ? [] : [`started again ${restarts.count} times by its restart policy ${restarts.policy}`];
  return {
    verdict: `The program ended by itself with exit code ${exitCode}${meaning === undefined ? ", which says that it failed" : `, by convention ${meaning}`}.`,
    evidence: [...(lines.length === 0 ? ["it said nothing"] : lines.slice(-5)), ...again],
    fix: lines.length === 0 ? `Run it by hand to see more: docker run -it --entrypoint sh IMAGE` : `What it said last tells why: docker logs --tail 50 ${name}`,
  };
}
