import { guestPath } from "#machine/files.ts";

/** The distribution the engine lives in. */
export const distribution = "slipway";

/** Arguments of `wsl.exe`: makes the distribution from the tool tree's archive, with its disk in `directory`. */
export const importArguments = (directory: string, archive: string): string[] => ["--import", distribution, directory, archive, "--version", "2"];

export const listArguments = (): string[] => ["--list", "--quiet"];
export const terminateArguments = (): string[] => ["--terminate", distribution];

/** Deletes the distribution with its disk. */
export const unregisterArguments = (): string[] => ["--unregister", distribution];

/** Runs a command in the distribution as root, without a shell between (`--exec` takes the words as they are). */
export const execArguments = (command: readonly string[]): string[] => ["--distribution", distribution, "--user", "root", "--exec", ...command];

export interface EngineCommand {
  readonly root: string;
  readonly socket: string;
  /** Path of daemon.json as the distribution sees it. */
  readonly config: string;
  readonly debug: boolean;
}

/** The engine within the distribution. Windows' drives are mounted at /mnt/c there already, so the host prefix is empty. */
export const engineCommand = ({ root, socket, config, debug }: EngineCommand): string[] => [
  ...["/usr/bin/node", "/usr/lib/slipway/main.mjs", "--root", root, "--socket", socket, "--config", config],
  ...(debug ? ["--debug"] : []),
];

/** Asks the engine to end (TERM), or to read its configuration again (HUP). In words of a plain shell: the tool tree has no pkill. The bridges, Node as well, are left alone. */
export const signalCommand = (signal: "TERM" | "HUP", socket: string): string[] => ["/bin/sh", "-c", signalScript, "signal", socket, signal];

const signalScript = [
  'for p in /proc/[0-9]*; do [ "${p#/proc/}" != $$ ] || continue',
  'c=" $(tr "\\0" " " < "$p/cmdline" 2> /dev/null) "; case $c in *" -e "*) ;; *" --socket $1 "*) kill -"$2" "${p#/proc/}" ;; esac; done',
].join("; ");

/**
 * A byte stream to the engine's socket: Windows cannot open the distribution's unix sockets, so a process of Node in it
 * joins its own standard input and output with the socket, keeping half-close.
 */
export const bridgeCommand = (socket: string): string[] => ["/usr/bin/node", "-e", bridgeScript, socket];

const bridgeScript = [
  'const s=require("net").connect({path:process.argv[1],allowHalfOpen:true});',
  "process.stdin.pipe(s);s.pipe(process.stdout);",
  's.on("end",()=>process.stdout.end());s.on("error",()=>process.exit(1));s.on("close",()=>process.exit(0));',
].join("");

/** `wsl.exe --list --quiet` writes UTF-16 with a BOM at times; names one a line. */
export function parseList(output: Buffer): string[] {
  const utf16 = output.includes(0);
  const text = output.toString(utf16 ? "utf16le" : "utf8").replace(/^\uFEFF/, "");
  return text.split(/\r?\n/).flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

/** Where a folder of Windows appears in the distribution; undefined for what no drive letter names. */
export const drivePath = (windowsPath: string): string | undefined => guestPath(windowsPath, "win32");
