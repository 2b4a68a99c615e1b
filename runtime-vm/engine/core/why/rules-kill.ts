import { constants } from "node:os";
import type { Finding } from "#api/failure.ts";
import type { Facts, Rule, Sender } from "./facts.ts";
import { bytes } from "./quantities.ts";

/** What ended a container from outside: its memory, this engine, the kernel, or the end of the machine. */
export const killRules: readonly Rule[] = [
  { name: "oom-limit", find: outOfItsLimit },
  { name: "oom-machine", find: outOfMemory },
  { name: "lost", find: lost },
  { name: "asked-to-end", find: endedAsAsked },
  { name: "stop-timeout", find: stopTimeout },
  { name: "killed", find: killed },
  { name: "engine-stopped", find: engineStopped },
  { name: "crashed", find: crashed },
];

const sigkill = 9;

export const signalName = (signal: number): string => Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;

/** The signal that ended it, by the convention of 128+n. */
export const endedBy = ({ exitCode }: Pick<Facts, "exitCode">): number | undefined => (exitCode > 128 && exitCode <= 128 + 64 ? exitCode - 128 : undefined);

function outOfItsLimit({ oomKilled, traces: { memory }, name }: Facts): Finding | undefined {
  if (!oomKilled || memory?.ofItsOwn !== true) return undefined;
  const { limitBytes, peakBytes } = memory;
  const limit = limitBytes === undefined ? "" : ` of ${bytes(limitBytes)}`;
  const more = limitBytes === undefined ? "..." : `${Math.ceil((limitBytes * 2) / 1024 ** 2)}m`;
  return {
    verdict: `The container needed more memory than its limit${limit} allows, and the kernel killed it.`,
    evidence: [
      ...(peakBytes === undefined ? [] : [`peak ${bytes(peakBytes)}${limitBytes === undefined ? "" : `, limit ${bytes(limitBytes)}`}`]),
      "the kernel counted an out-of-memory kill in the container's cgroup",
    ],
    fix: `Give it more: docker update --memory ${more} --memory-swap ${more} ${name}, or make the program use less.`,
  };
}

function outOfMemory({ oomKilled, traces: { memory }, name }: Facts): Finding | undefined {
  if (!oomKilled) return undefined;
  return {
    verdict: "The machine ran out of memory, and the kernel chose this container to end.",
    evidence: [
      ...(memory?.peakBytes === undefined ? [] : [`the container's peak was ${bytes(memory.peakBytes)}`]),
      "the kernel counted an out-of-memory kill; no limit of the container's own was reached",
    ],
    fix: `Give the machine more memory, stop other containers, or bound this one: docker update --memory 512m --memory-swap 512m ${name}`,
  };
}

function lost({ traces, name }: Facts): Finding | undefined {
  if (traces.lost !== true) return undefined;
  return {
    verdict: "The container ended with the machine: nobody saw how, so its exit code is not its own.",
    evidence: ["when the engine came back the container was gone"],
    fix: `Start it again: docker start ${name}; a restart policy does that by itself: docker update --restart unless-stopped ${name}`,
  };
}

const last = ({ traces: { sent = [] } }: Facts) => sent.at(-1);

/** Who is told to stop and does, whatever the code, did well; so did who ends by the very signal somebody sent, SIGKILL excepted. */
function endedAsAsked(facts: Facts): "well" | undefined {
  const sent = last(facts);
  if (sent === undefined || sent.signal === sigkill) return undefined;
  if (sent.by === "stop" || sent.by === "restart" || sent.by === "remove") return "well";
  return sent.by === "kill" && endedBy(facts) === sent.signal ? "well" : undefined;
}

const acts: Readonly<Record<Sender, string>> = {
  kill: "docker kill",
  stop: "docker stop",
  restart: "docker restart",
  remove: "docker rm -f",
  engine: "the engine's own stop",
};

function stopTimeout(facts: Facts): Finding | undefined {
  const { sent = [] } = facts.traces;
  const [before, kill] = sent.slice(-2);
  if (before === undefined || kill === undefined || kill.signal !== sigkill || endedBy(facts) !== sigkill) return undefined;
  if (before.by !== kill.by || before.signal === sigkill || kill.by === "kill") return undefined;
  return {
    verdict: `The program did not end within ${facts.stopGraceSeconds} s of ${signalName(before.signal)}, so ${acts[kill.by]} killed it.`,
    evidence: [`${signalName(before.signal)}, then SIGKILL, both sent by ${acts[kill.by]}`, `its first process is ${JSON.stringify(facts.command[0] ?? "")}`],
    fix: "Let its first process act on the signal: start it by exec in a script, run with --init, or name the signal it knows by STOPSIGNAL.",
  };
}

function killed(facts: Facts): Finding | undefined {
  const sent = last(facts);
  if (sent === undefined || sent.by === "engine" || endedBy(facts) !== sent.signal) return undefined;
  return {
    verdict: `It was killed by ${acts[sent.by]}, with ${signalName(sent.signal)}.`,
    evidence: [`${signalName(sent.signal)} was sent through this engine, and the exit code is 128 + ${sent.signal}`],
    fix: `Start it again if that was not meant: docker start ${facts.name}`,
  };
}

function engineStopped(facts: Facts): Finding | undefined {
  if (last(facts)?.by !== "engine") return undefined;
  return {
    verdict: "It was stopped because the engine was.",
    evidence: [`the engine sent ${(facts.traces.sent ?? []).map(({ signal }) => signalName(signal)).join(", then ")}`],
    fix: `Start it again: docker start ${facts.name}; a restart policy does that by itself: docker update --restart always ${facts.name}`,
  };
}

const crashes: Readonly<Record<string, string>> = {
  SIGSEGV: "it used memory that is not its own (segmentation fault)",
  SIGBUS: "it used memory that is not there any more, most often of a file that shrank or a full /dev/shm (bus error)",
  SIGILL: "it uses instructions this processor does not have (illegal instruction)",
  SIGFPE: "it divided by zero or the like",
  SIGTRAP: "it ran into a breakpoint of its own",
};

/** Signals the kernel sends for what a process does itself. */
function crashed(facts: Facts): Finding | undefined {
  const signal = endedBy(facts);
  const name = signal === undefined ? "" : signalName(signal);
  if (name === "SIGSYS") {
    return {
      verdict: "The kernel ended it for a system call that its seccomp profile does not allow.",
      evidence: [`exit code ${facts.exitCode} = 128 + SIGSYS`, ...facts.lines.slice(-3)],
      fix: "Allow the call by a profile of your own: --security-opt seccomp=profile.json (unconfined lets all pass).",
    };
  }
  const what = crashes[name];
  if (what === undefined) return undefined;
  return {
    verdict: `The program crashed: ${what}.`,
    evidence: [`exit code ${facts.exitCode} = 128 + ${name}, sent by the kernel`, ...facts.lines.slice(-3)],
    fix:
      name === "SIGILL"
        ? "Use a build for an older processor, or for this architecture."
        : name === "SIGBUS"
          ? "Give it more shared memory: --shm-size 256m"
          : "Update the program, or run it under a debugger: --cap-add SYS_PTRACE.",
  };
}
