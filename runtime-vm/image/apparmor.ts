import { join } from "node:path";
import { runInTree } from "./rootimage.ts";

export const profileSource = join(import.meta.dirname, "docker-default.apparmor");
/** Where the engine finds the compiled profile, in the tool tree. */
export const policyPath = "usr/share/slipway/apparmor.policy";

/**
 * Compiles the containers' AppArmor profile into what a kernel loads, the same for every architecture. `unpacked`: packages
 * with the parser and AppArmor's own definitions; `tools`: a tool tree of this machine's architecture.
 */
export async function compileProfile(path: string, { unpacked, tools }: { unpacked: string; tools: string }, signal: AbortSignal): Promise<void> {
  const definitions = join(unpacked, "etc/apparmor.d");
  // Any kernel since 5.4 loads it, whichever this machine has.
  const kernel = ["--kernel-features", join(definitions, "abi/kernel-5.4-vanilla")];
  const options = ["--config-file", "/dev/null", "--base", definitions, ...kernel, "--skip-kernel-load", "--skip-cache", "--ofile", path];
  await runInTree(tools, join(unpacked, "usr/sbin/apparmor_parser"), [...options, profileSource], signal);
}
