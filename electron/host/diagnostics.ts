import { statfs } from "node:fs/promises";
import { messageOf } from "#base/errors.ts";
import type { ContextStatus, DiagnosticCheck } from "#bridge/bridge.ts";
import type { MachineStatus } from "#api/machine.ts";
import { dialPath } from "./dial.ts";
import { EngineConnection } from "./engine.ts";

const gib = 1024 ** 3;
const checkMsMax = 5_000;

export interface Examined {
  readonly root: string;
  readonly socket: string;
  readonly machine: () => MachineStatus;
  readonly engine: EngineConnection;
  readonly context: () => Promise<ContextStatus>;
  readonly settingsProblems: readonly string[];
}

type Finding = Omit<DiagnosticCheck, "name" | "title">;
type Check = readonly [name: string, title: string, run: (examined: Examined, signal: AbortSignal) => Promise<Finding>];

const checks: readonly Check[] = [
  ["engine", "The engine answers", engineAnswers],
  ["socket", "The Docker socket answers", socketAnswers],
  ["context", "The docker command finds Slipway", contextFound],
  ["acceleration", "Hardware virtualisation is used", accelerated],
  ["disk", "There is room on the disk", roomOnDisk],
  ["settings", "The settings file is valid", settingsValid],
];

/** Looks at what usually goes wrong; no check ends the others. */
export async function runDiagnostics(examined: Examined, { signal }: { readonly signal: AbortSignal }): Promise<readonly DiagnosticCheck[]> {
  return await Promise.all(
    checks.map(async ([name, title, run]): Promise<DiagnosticCheck> => {
      try {
        return { name, title, ...(await run(examined, AbortSignal.any([signal, AbortSignal.timeout(checkMsMax)]))) };
      } catch (error) {
        return { name, title, result: "fail", detail: messageOf(error), fix: "See the log of the machine." };
      }
    }),
  );
}

async function engineAnswers({ engine, machine }: Examined, signal: AbortSignal): Promise<Finding> {
  const { phase, error } = machine();
  if (phase !== "running")
    return {
      result: "fail",
      detail: error?.why?.Verdict ?? error?.message ?? `The machine is ${phase}.`,
      fix: error?.why?.Fix ?? error?.hint ?? "Start the machine.",
    };
  const { status, headers } = await engine.request({ method: "GET", path: "/_ping" }, { signal });
  if (status !== 200) return { result: "fail", detail: `Its ping answers status ${status}.`, fix: "Restart the machine." };
  return { result: "pass", detail: `Docker API ${headers["api-version"] ?? "of unknown version"}.` };
}

async function socketAnswers({ socket, machine }: Examined, signal: AbortSignal): Promise<Finding> {
  const own = new EngineConnection(() => dialPath(socket));
  const { status } = await own.request({ method: "GET", path: "/_ping" }, { signal });
  if (status === 200) return { result: "pass", detail: socket };
  return { result: "fail", detail: `${socket} answers status ${status}.`, fix: machine().phase === "running" ? "Restart Slipway." : "Start the machine." };
}

async function contextFound({ context }: Examined): Promise<Finding> {
  const { created, current, hiddenBy } = await context();
  if (!created) return { result: "warn", detail: "There is no docker context slipway of this Slipway.", fix: "Restart Slipway to make it again." };
  if (hiddenBy !== undefined) return { result: "warn", detail: `${hiddenBy} is set, and docker ignores every context then.`, fix: `Unset ${hiddenBy}.` };
  if (current !== "slipway") return { result: "pass", detail: `With docker --context slipway; docker’s current context is “${current}”.` };
  return { result: "pass", detail: "It is the default." };
}

async function accelerated({ machine }: Examined): Promise<Finding> {
  const { driver, accelerator, notices } = machine();
  if (accelerator !== "tcg") return { result: "pass", detail: accelerator === "none" ? `None is needed (${driver}).` : accelerator };
  return {
    result: "warn",
    detail: notices[0] ?? "Software emulation is used, which is many times slower.",
    fix: "Switch virtualisation on in the firmware, and see that /dev/kvm may be opened by this user.",
  };
}

async function roomOnDisk({ root }: Examined): Promise<Finding> {
  const { bavail, bsize } = await statfs(root);
  const free = (bavail * bsize) / gib;
  const detail = `${free.toFixed(1)} GiB free at ${root}.`;
  if (free >= 5) return { result: "pass", detail };
  return { result: free < 1 ? "fail" : "warn", detail, fix: "Delete images and volumes that are not used, or other files." };
}

async function settingsValid({ settingsProblems }: Examined): Promise<Finding> {
  if (settingsProblems.length === 0) return { result: "pass", detail: "Every value is valid." };
  return { result: "warn", detail: settingsProblems.join(" "), fix: "Set the value again in Settings." };
}
