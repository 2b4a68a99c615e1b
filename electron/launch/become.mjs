// How an entry hands over to the program it stands for.
// Dependency-free on purpose: it runs under whatever Node a fresh machine has, before node_modules exists.
import { spawn } from "node:child_process";

/** Replaces this process where Node can, so that signals and memory are the program's alone; older ones pass signals on. */
export function become(program, args) {
  process.removeAllListeners("warning");
  if (process.execve) process.execve(program, [program, ...args], process.env);
  const child = spawn(program, args, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`${program} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
