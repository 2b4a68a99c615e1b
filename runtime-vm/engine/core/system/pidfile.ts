import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { EngineError, codeOf } from "#base/errors.ts";

/** Writes this process's number to `path`; disposing removes it. One that names a living process is an error, a stale one is not. */
export function openPidFile(path: string): Disposable {
  const other = numberIn(path);
  if (other !== undefined && other !== process.pid && isAlive(other)) {
    throw new EngineError("conflict", `pid file ${path}: process with PID ${other} is still running: stop it, or name another "pidfile"`);
  }
  writeFileSync(path, String(process.pid), { mode: 0o644 });
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

function numberIn(path: string): number | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A zombie is dead. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`).toString("utf8");
    return !/^\s*[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch {
    return false;
  }
}
