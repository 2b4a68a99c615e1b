import { mkdir } from "node:fs/promises";
import { EngineError, isClass } from "#base/errors.ts";
import type { MachinePaths } from "./names.ts";
import { serveSocket } from "./serve.ts";

/**
 * Takes charge of a machine's root until disposed. Class `conflict` while another live process has it; one that was
 * killed has left nothing that stands in the way.
 */
export async function claimRoot(paths: MachinePaths): Promise<AsyncDisposable> {
  await mkdir(paths.run, { recursive: true, mode: 0o700 });
  try {
    return await serveSocket(paths.owner, () => Promise.reject(new EngineError("forbidden", "this socket only shows that its owner lives")));
  } catch (error) {
    if (!isClass(error, "conflict")) throw error;
    throw new EngineError("conflict", `the virtual machine in ${paths.root} is run by another process: quit that one first, or use another root`, {
      cause: error,
    });
  }
}
