import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { ComposeActOptions, ComposeCheck, ComposeMessage, ComposeProjectSource } from "#api/compose.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { actArguments, checkedSource, projectArguments, topsOf } from "./arguments.ts";

export interface ComposeOptions {
  /** The script of the tool tree that runs docker compose where the project's folders are at their own paths. */
  readonly script: string;
  /** docker compose itself. */
  readonly program: string;
  /** The engine's. */
  readonly socket: string;
  readonly hostPrefix: string;
}

/** Longest of what compose may answer at once: a project's model. */
const answerBytesMax = 16 * 1024 * 1024;
/** compose lets go of what it has begun when it is interrupted; one that does not is killed. */
const interruptMsMax = 10_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Compose projects, by Debian's docker compose as a client of this engine. */
export class Compose {
  readonly #options: ComposeOptions;

  constructor(options: ComposeOptions) {
    this.#options = options;
  }

  /** What compose says, line by line, then how it ended. Leaving the loop, or the signal, interrupts it. */
  act(source: ComposeProjectSource, options: ComposeActOptions, signal: AbortSignal): AsyncIterable<ComposeMessage> {
    const words = [...projectArguments(checkedSource(source), false), "--progress", "plain", ...actArguments(options)];
    this.#checkPlaces(source);
    return this.#lines(source, words, signal);
  }

  /** How compose understands the files; with `text`, the last of them is that instead of what is on the disk. */
  async check(source: ComposeProjectSource, text: string | undefined, signal: AbortSignal): Promise<ComposeCheck> {
    const words = projectArguments(checkedSource(source), text !== undefined);
    this.#checkPlaces(source);
    const model = await this.#answer(source, [...words, "config", "--format", "json"], text, signal);
    const { error, warnings } = spoken(model.stderr);
    if (model.code !== 0) return { error: error || `docker compose config ended with ${model.code}`, warnings };
    const hashes = await this.#answer(source, [...words, "config", "--hash", "*"], text, signal);
    const rows = hashes.stdout.split("\n").map((line) => line.trim().split(/\s+/));
    return { model: JSON.parse(model.stdout) as unknown, hashes: Object.fromEntries(rows.filter((row) => row.length === 2)), warnings };
  }

  async *#lines(source: ComposeProjectSource, words: readonly string[], signal: AbortSignal): AsyncGenerator<ComposeMessage> {
    await using child = this.#start(source, words, "both", signal);
    child.process.stdin.end();
    for await (const line of createInterface({ input: child.process.stdout, crlfDelay: Number.POSITIVE_INFINITY })) yield { line };
    yield { exit: await child.ended };
    signal.throwIfAborted();
  }

  async #answer(source: ComposeProjectSource, words: readonly string[], text: string | undefined, signal: AbortSignal): Promise<Answer> {
    await using child = this.#start(source, words, "apart", signal);
    child.process.stdin.on("error", () => undefined); // one that ends before it has read everything says why
    child.process.stdin.end(text ?? "");
    const [stdout, stderr] = await Promise.all([read(child.process.stdout), read(child.process.stderr)]);
    const code = await child.ended;
    signal.throwIfAborted();
    return { stdout, stderr, code };
  }

  #start(source: ComposeProjectSource, words: readonly string[], outputs: "both" | "apart", signal: AbortSignal): Running {
    signal.throwIfAborted();
    const { script, socket, hostPrefix } = this.#options;
    const args = ["unshare", "-m", "busybox", "sh", script, outputs, hostPrefix, socket, ...topsOf(source), "--", ...words];
    const child: Child = spawn("busybox", args, { stdio: ["pipe", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: source.home || "/" } });
    return running(child, signal);
  }

  /** Said before compose is started, whose own words would be about a file in a place nobody knows. */
  #checkPlaces({ folder, files }: ComposeProjectSource): void {
    const { hostPrefix, program } = this.#options;
    if (!existsSync(program)) throw new EngineError("unavailable", `docker compose is not in this engine's tool tree (${program}): npm run image`);
    for (const path of [folder, ...files])
      if (!existsSync(hostPrefix + path))
        throw new EngineError("notFound", `${path} cannot be read by the engine: it is not there, or in no folder that is shared with the machine`);
  }
}

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

interface Running extends AsyncDisposable {
  readonly process: Child;
  readonly ended: Promise<number>;
}

function running(child: Child, signal: AbortSignal): Running {
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (error) => reject(new EngineError("internal", `docker compose could not be started: ${messageOf(error)}`, { cause: error })));
    child.once("close", (code, killed) => resolve(code ?? (killed === null ? 1 : 130)));
  });
  ended.catch(() => undefined); // whoever waits for it is told
  let killing: ReturnType<typeof setTimeout> | undefined;
  const interrupt = (): void => {
    if (killing !== undefined) return;
    child.kill("SIGINT");
    killing = setTimeout(() => child.kill("SIGKILL"), interruptMsMax);
  };
  signal.addEventListener("abort", interrupt, { once: true });
  return {
    process: child,
    ended,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", interrupt);
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        interrupt();
        child.stdout.resume();
        child.stderr.resume();
        await once(child, "close");
      }
      clearTimeout(killing);
    },
  };
}

async function read(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new EngineError("exhausted", `docker compose answers with more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Its warnings are logfmt lines; what is left is why it failed. */
function spoken(stderr: string): { readonly error: string; readonly warnings: readonly string[] } {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const warnings = lines.flatMap((line) => {
    const [, said] = /level=warning msg=("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
    return said === undefined ? [] : [JSON.parse(said) as string];
  });
  return { error: lines.filter((line) => !/\blevel=(?:warning|info)\b/.test(line)).join("\n"), warnings };
}
