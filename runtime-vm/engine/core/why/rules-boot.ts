import type { WhyExplanation } from "#api/why.ts";
import { explainFailure, type FailureRule, sayings } from "#api/failure.ts";

/** Why the engine did not start, by the error it ended with. */
export const explainBoot = (error: string): WhyExplanation => explainFailure(bootRules, error) ?? unexplained(error);

const unexplained = (error: string): WhyExplanation => ({
  Rule: "start-failed",
  Verdict: "The engine could not start.",
  Evidence: [error],
  Fix: "engine.log in its root directory has the lines before; with --debug there are more.",
});

const bySaying = sayings<string>(
  (error) => error,
  (error) => [error],
);

const bootRules: readonly FailureRule<string>[] = [
  bySaying("socket-in-use", /^(.*?) is served by another engine/, ([, path = ""]) => ({
    verdict: `Another engine answers at ${path} already.`,
    fix: "Use that one, stop it, or give this one another --socket.",
  })),
  bySaying("socket-is-file", /^(.*?) is not a socket/, ([, path = ""]) => ({
    verdict: `At ${path} there is something else than a socket.`,
    fix: "Move it away, or give another --socket.",
  })),
  bySaying("root-locked", /another engine uses this root directory/, () => ({
    verdict: "Another engine works on the same root directory.",
    fix: "Stop that one, or give this one another --root: two would destroy each other's work.",
  })),
  bySaying("already-running", /pid file (.*?): process with PID (\d+) is still running/, ([, path = "", pid = ""]) => ({
    verdict: `By its pid file ${path} an engine runs already, as process ${pid}.`,
    fix: `Stop process ${pid}, or name another "pidfile" in daemon.json.`,
  })),
  bySaying("disk-full", /ENOSPC|no space left|database or disk is full/i, () => ({
    verdict: "The disk of the engine's root directory is full.",
    fix: "Make room on it, then start again: nothing of the engine's is lost.",
  })),
  bySaying("disk-read-only", /EROFS|read-only file system|attempt to write a readonly database/i, () => ({
    verdict: "The disk of the engine's root directory can only be read.",
    fix: "Mount it for writing; if the kernel made it so, it has found an error: look at dmesg, and check the disk.",
  })),
  bySaying("state-damaged", /cannot open the state (.*?): .*(?:not a database|malformed|corrupt)/i, ([, path = ""]) => ({
    verdict: `The engine's database ${path} is damaged.`,
    fix: "Restore it from a backup, or move it away: volumes are found again by their directories, images and containers are not.",
  })),
  bySaying("no-permission", /EACCES|EPERM|permission denied|operation not permitted/i, () => ({
    verdict: "The engine may not do what it has to: it needs root, and a kernel that lets root make namespaces and mounts.",
    fix: "Start it with sudo; in a container, one with --privileged.",
  })),
  bySaying("config-port-taken", /the API cannot listen at (\S+?): something else listens there already/, ([, address = ""]) => ({
    verdict: `Something else listens at ${address}, which "hosts" of daemon.json names.`,
    fix: 'Stop what listens there (ss -ltnp shows it), or change "hosts".',
  })),
  bySaying("config-address", /the API cannot listen at (\S+?): /, ([, address = ""]) => ({
    verdict: `The API cannot listen at ${address}, which "hosts" of daemon.json names.`,
    fix: 'Name an address that this machine has in "hosts".',
  })),
  bySaying("metrics-port", /metrics cannot be served at (\S+?): /, ([, address = ""]) => ({
    verdict: `Metrics cannot be served at ${address}.`,
    fix: 'Change "metrics-addr" in daemon.json, or stop what listens there.',
  })),
  bySaying("config-unreadable", /--config (\S+) cannot be read/, ([, path = ""]) => ({
    verdict: `The configuration ${path} cannot be read.`,
    fix: "Correct the path, or who may read it.",
  })),
  bySaying("config-broken", /unable to configure the engine with file (\S+?): (.*)$/s, ([, path = "", reason = ""]) => ({
    verdict: `${path} is not as it should be: ${reason}.`,
    fix: "Correct what is named, or move the file away to start with defaults.",
  })),
  bySaying("config-certificates", /certificates of daemon\.json/, () => ({
    verdict: "The certificates that daemon.json names cannot be used.",
    fix: "Check tlscacert, tlscert and tlskey: files in PEM form that belong together.",
  })),
  bySaying("kernel-feature", /ENOSYS|ENODEV|EOPNOTSUPP|unknown filesystem type|Protocol not supported|EPROTONOSUPPORT|EAFNOSUPPORT/i, () => ({
    verdict: "The kernel lacks something the engine stands on (overlay, nftables, cgroup v2 or namespaces).",
    fix: "Load the module, or run the engine in its VM, which brings a kernel of its own.",
  })),
  bySaying("config-value", /^([a-z][\w.-]*) must be (.*)$/s, ([, key = "", wanted = ""]) => ({
    verdict: `${key} has a value that it cannot have: it must be ${wanted}.`,
    fix: `Correct ${key}, or leave it out.`,
  })),
];
