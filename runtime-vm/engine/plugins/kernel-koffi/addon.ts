import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as koffi from "koffi";
import { EngineError } from "#base/errors.ts";

/** koffi's native half; `node.poll` calls back with libuv's status first, unlike its typings say. */
export type Koffi = typeof koffi;

/**
 * Loads koffi's native addon itself: its JavaScript wrapper only finds this file and costs ten times as long. Bundled
 * into one file the addon lies beside the bundle as `koffi.node`; in a source tree it is where npm put it.
 */
export function loadKoffi(): Koffi {
  const require = createRequire(import.meta.url);
  const beside = join(import.meta.dirname, "koffi.node");
  if (existsSync(beside)) return require(beside) as Koffi;
  const installed = `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
  try {
    return require(installed) as Koffi;
  } catch (cause) {
    throw new EngineError("internal", `koffi's addon is neither ${beside} nor the installed ${installed}: run npm ci, or put koffi.node beside the bundle`, {
      cause,
    });
  }
}
