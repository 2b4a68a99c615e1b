import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { RuntimeChoice } from "#core/config/config.ts";
import { runcOptions, shimOptions } from "./messages.ts";
import { shimPaths } from "./options.ts";

type OciRuntime = RuntimeChoice & { kind: "oci" };
type ShimRuntime = RuntimeChoice & { kind: "shim" };

/** The program the shim starts. One with arguments gets a script, since a shim knows a program only. */
function programOf({ path, args }: OciRuntime, directory: string): string {
  if (args.length === 0) return path;
  const script = `#!/bin/sh\nexec ${[path, ...args].map(quoted).join(" ")} "$@"\n`;
  const name = join(directory, `${basename(path)}-${createHash("sha256").update(script).digest("hex").slice(0, 16)}`);
  // Renamed, since a container of the same runtime may be starting it just now.
  writeFileSync(`${name}.new`, script, { mode: 0o755 });
  renameSync(`${name}.new`, name);
  return name;
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** `io.containerd.runsc.v1` is run by `containerd-shim-runsc-v1`; a path is the program itself. */
export function shimBinaryOf(type: string): string {
  if (type.startsWith("/")) return type;
  const parts = type.split(".");
  const [version = "", name = ""] = parts.toReversed();
  if (parts.length < 3 || !/^[\w-]+$/.test(name) || !/^v\d+$/.test(version)) {
    throw new EngineError("invalidArgument", `invalid runtime type ${type}: want io.containerd.NAME.VERSION (io.containerd.runsc.v1) or the path of a shim`);
  }
  return `containerd-shim-${name}-${version}`;
}

/** What is said to the shim of a runtime from daemon.json; `shims` is the shims' directory. */
export function optionsFor(runtime: RuntimeChoice, shims: string): Buffer {
  const root = shimPaths(shims).runtimeState;
  return runtime.kind === "oci" ? runcOptions({ binaryName: programOf(runtime, shims), root }) : ownShimOptions(runtime, root);
}

/** What daemon.json's `options` are to the shim: runc's own message for runc's shim, the general one for all others. */
function ownShimOptions({ type, options }: ShimRuntime, root: string): Buffer {
  const text = (name: string): string => (typeof options[name] === "string" ? options[name] : "");
  if (/\.runc\.v\d+$/.test(type)) return runcOptions({ binaryName: text("BinaryName") || "crun", root: text("Root") || root });
  return shimOptions({ typeUrl: text("TypeUrl"), configPath: text("ConfigPath"), configBody: text("ConfigBody") });
}
