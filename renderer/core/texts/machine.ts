import { count } from "#renderer/core/format.ts";

/** Texts about the engine’s machine: its state, its start, its disk, and what is asked once it runs. */
export const machineTexts = {
  engine: {
    running: "Engine running",
    starting: "Engine starting",
    stopping: "Engine stopping",
    stopped: "Engine stopped",
    failed: "Engine failed",
    lost: "Connection lost",
    connecting: "Connecting",
    cpu: "CPU",
    memory: "Memory",
    disk: "Disk",
    diskTip: "What images, containers and volumes take of this computer’s disk",
    start: "Start engine",
    restart: "Restart engine",
    stop: "Stop engine",
    connect: "Connect to the engine",
    reconnect: "Connect anew",
    disconnect: "Disconnect from the engine",
    unread: "The list appears once the engine answers.",
    stale: "The lists show what was last known.",
    logTail: "Last log lines",
    repair: "Repair",
    repairing: "Repairing…",
    repairTip:
      "Makes anew what Slipway keeps beside your data: the machine’s process, the Docker socket and the docker context. Containers, images and volumes stay.",
    repaired: (done: readonly string[]) => (done.length === 0 ? "Nothing had to be repaired" : `Repaired: ${done.join(", ")}`),
    repairs: { machine: "the machine was started afresh", socket: "the Docker socket", context: "the docker context" },
    failedTo: {
      repair: "Could not repair the engine",
      start: "Could not start the engine",
      restart: "Could not restart the engine",
      stop: "Could not stop the engine",
    },
    restarts: (n: number) => `Restarted ${count(n, "time")} after a crash`,
    drivers: { qemu: "QEMU", wsl2: "WSL 2", native: "this computer", remote: "external engine" } as Readonly<Record<string, string>>,
    accelerators: { kvm: "KVM", hvf: "HVF", whpx: "WHPX", tcg: "software emulation" } as Readonly<Record<string, string>>,
  },

  boot: {
    title: "Starting Slipway",
    first: "Slipway runs containers in a small Linux machine of its own. The first start takes longest.",
    failedTitle: "The engine did not start",
    connecting: "Reaching the host",
    noKey: "This window cannot reach Slipway",
    noKeyAdvice: "Start Slipway again, or open the address it printed.",
    continue: "Open the window anyway",
    noLog: "No log lines yet",
    states: { waiting: "waiting", running: "running", done: "done", failed: "failed", skipped: "skipped" },
  },

  disk: {
    machine: (percent: number, free: string) => `The machine’s disk is ${percent} % full: ${free} are left`,
    computer: (free: string) => `This computer’s disk is nearly full: ${free} are left for containers`,
    counting: "Counting what takes the room…",
    takers: (named: readonly string[], reclaimable: string) => `Largest: ${named.join(", ")}. ${reclaimable} are not in use.`,
    notOurs: "Nothing of it is taken by images, containers or volumes.",
    kinds: { images: "image", containers: "container", volumes: "volume", cache: "build cache" },
    makeRoom: "Make room",
    away: "Not now",
  },

  context: {
    title: "Use Slipway for the docker command?",
    text: "docker, Compose and IDEs then use this engine. The former context can be given back at any time.",
    use: "Use Slipway",
    notNow: "Not now",
    hidden: (name: string) => `${name} is set and hides docker contexts. Unset it to use Slipway from this shell.`,
    failed: "Could not switch the docker context",
    current: (name: string) => `Current context: ${name}`,
  },

  diagnostics: {
    title: "Diagnostics",
    open: "Diagnostics…",
    running: "Checking…",
    again: "Check again",
    failed: "Could not run the checks",
    results: { pass: "pass", warn: "warning", fail: "fail" },
  },
} as const;
