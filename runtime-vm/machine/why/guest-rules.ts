import type { Finding } from "#api/failure.ts";
import { byError, byPrinted, engineComplaint, evidenceOf, type StartRule } from "./facts.ts";

const rebuild = "Build it anew: delete runtime-vm/image/out and run npm run image";

/** The engine explains itself where it ends; those lines are the verdict. */
const engineSaid: StartRule = {
  name: "engine-failed",
  find: (facts) => {
    const at = facts.printed.findLastIndex((line) => line.includes(engineComplaint));
    if (at < 0) return undefined;
    const said = facts.printed.slice(at);
    const [verdict, fix] = ["why", "fix"].map((word) =>
      said.map((line) => new RegExp(`^\\s*${word}: (.*)$`).exec(line)?.[1]).find((text) => text !== undefined),
    );
    return {
      verdict: verdict ?? `The engine does not start: ${said[0]?.split(engineComplaint)[1]}.`,
      evidence: evidenceOf(facts),
      fix: fix ?? "Its lines on the console say more.",
    };
  },
};

const late = (what: string): Omit<Finding, "evidence"> => ({
  verdict: `${what} in the time that even a busy computer needs.`,
  fix: "See what keeps this computer busy, then start the machine once more; with --debug the console says more.",
});

/** What a guest that was started died of, or is stuck at. */
export const guestRules: readonly StartRule[] = [
  byPrinted("guest-memory", /Kernel panic - not syncing: (?:System is deadlocked on memory|Out of memory.*)/i, (_, { memoryMiB }) => ({
    verdict: `Linux in the machine cannot do with the ${memoryMiB === undefined ? "" : `${memoryMiB} MiB of `}memory it has.`,
    fix: "Give the machine more: 2048 MiB at least (Settings, or --memory).",
  })),
  byPrinted(
    "image-damaged",
    /Kernel panic - not syncing: (?:VFS: Unable to mount root fs.*|No working init found.*|Requested init .*|Attempted to kill init.*)/i,
    () => ({
      verdict: "The system image is damaged: Linux starts, and finds nothing of it to go on with.",
      fix: rebuild,
    }),
  ),
  byPrinted("guest-panic", /Kernel panic - not syncing: (.*)/i, ([, why = ""]) => ({
    verdict: `Linux in the machine crashed while it started: ${why.trim()}.`,
    fix: "Start it once more; if it does so each time, try --accel tcg, and build the image anew (npm run image).",
  })),
  byPrinted("image-damaged", /slipway-step: root fail \d+ (.*)/, ([, why = ""]) => ({
    verdict: `The system image is damaged: ${why.trim()}.`,
    fix: rebuild,
  })),
  byPrinted("disk-foreign", /holds something that is not XFS/, () => ({
    verdict: "What is on the data disk is not Slipway's: it was left alone.",
    fix: "Move data.raw out of the machine's folder (or name another --root): a new disk is made then.",
  })),
  byPrinted("disk-damaged", /slipway-step: repair fail \d+ (.*)/, ([, why = ""]) => ({
    verdict: `The file system of the data disk is damaged, and could not be repaired: ${why.trim()}.`,
    fix: "Copy data.raw away for whoever can rescue it, look at this computer's disk for errors, and start with a new one.",
  })),
  engineSaid,
  byError("guest-crashed", /Linux in the virtual machine crashed/, () => ({
    verdict: "Linux in the machine crashed, and left no word of why.",
    fix: "Start it once more; if it does so each time, try --accel tcg, and build the image anew (npm run image).",
  })),
  byError("hypervisor-failed", /internal error|the hypervisor gave up on the guest/i, () => ({
    verdict: "The hardware virtualisation of this computer cannot run Linux, though it says that it can (a nested one above all).",
    fix: "Start with --accel tcg: software emulation, many times slower.",
  })),
  byError("guest-switched-off", /the virtual machine switched itself off/, () => ({
    verdict: "The machine switched itself off while it started.",
    fix: "Its last lines on the console say why.",
  })),
  byError("guest-silent", /Booting Linux: not done within/, () => late("Linux in the machine did not say a word")),
  byError("engine-silent", /(?:Waiting for|Connecting to|Asking) the engine: /, () => late("The engine in the machine did not answer")),
];
