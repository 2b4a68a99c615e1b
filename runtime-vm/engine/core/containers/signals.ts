import { constants } from "node:os";
import { EngineError } from "#base/errors.ts";

/** The kernel's real-time signals as a process sees them: glibc keeps 32 and 33 for itself. */
const realTimeMin = 34;
const realTimeMax = 64;

/** `SIGTERM`, `term`, `15`, `RTMIN+3`: the signal's number, or undefined. */
export function signalNumber(text: string): number | undefined {
  if (/^[+-]?\d+$/.test(text)) {
    const number = Number(text);
    return number > 0 && number <= realTimeMax ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const offset = Number(`${realTime[2] ?? ""}${realTime[3] ?? "0"}`);
    const number = (realTime[1] === "MIN" ? realTimeMin : realTimeMax) + offset;
    return number >= realTimeMin && number <= realTimeMax ? number : undefined;
  }
  return constants.signals[`SIG${name}` as NodeJS.Signals];
}

/** As `signalNumber`; an unknown one is invalidArgument in dockerd's words. */
export function parseSignal(text: string): number {
  const number = signalNumber(text);
  if (number === undefined && /^[+-]?\d*[1-9]\d*$/.test(text))
    throw new EngineError("invalidArgument", `the linux daemon does not support signal ${Number(text)}`);
  if (number === undefined) throw new EngineError("invalidArgument", `invalid signal: ${text}`);
  return number;
}
