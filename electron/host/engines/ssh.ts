import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { delay } from "#base/deadline.ts";
import { EngineError, codeOf } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import { ping } from "#machine/ping.ts";
import { dialPath } from "#host/dial.ts";
import { dockerSocket, type Place } from "./address.ts";
import type { Route } from "./route.ts";
import { UnreachedError, unreachedBySsh } from "./unreached.ts";

const connectSeconds = 15;
const openMsMax = 25_000;
const lookMs = 50;
/** Many ask at the same time: what has just failed is not tried for each of them. */
const againMs = 3_000;
const wordsCharsMax = 8_000;

/** Never a question that nobody sees, and a dead line is noticed within a minute. */
const quiet = ["-T", "-o", "BatchMode=yes", "-o", `ConnectTimeout=${connectSeconds}`, "-o", "ServerAliveInterval=20", "-o", "ServerAliveCountMax=3"];

interface Tunnel {
  readonly child: ChildProcess;
  readonly socket: string;
}

/**
 * An engine over the system's ssh, with the person's own keys, agent and configuration. One ssh forwards the other
 * computer's socket: a window has dozens of connections at a time, and sshd allows ten sessions of commands in one.
 * Where the socket cannot be forwarded each connection is an ssh of its own that runs `docker system dial-stdio`, as
 * the docker command does it.
 */
export class SshRoute implements Route {
  readonly place: string;
  readonly #to: Place & { readonly kind: "ssh" };
  readonly #lock = new KeyedLock();
  readonly #directories = new Set<string>();
  readonly #children = new Set<ChildProcess>();
  #tunnel: Tunnel | undefined;
  #byCommand = false;
  #failed: { readonly at: number; readonly error: unknown } | undefined;
  #closed = false;

  constructor(to: Place & { readonly kind: "ssh" }, place: string) {
    this.#to = to;
    this.place = place;
  }

  get watchMs(): number {
    return this.#byCommand ? 30_000 : 5_000;
  }

  readonly dial = async ({ signal }: { readonly signal: AbortSignal }): Promise<Duplex> => {
    const tunnel = this.#byCommand ? undefined : await this.#opened(signal);
    return tunnel === undefined ? this.#dialStdio() : await dialPath(tunnel.socket);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const child of this.#children) child.kill();
    for (const directory of [...this.#directories]) await this.#remove(directory);
  }

  /** The tunnel, up; undefined when this computer's ssh or the other one's sshd does not forward sockets. */
  async #opened(signal: AbortSignal): Promise<Tunnel | undefined> {
    using _held = await this.#lock.acquire("tunnel");
    if (this.#closed) throw new EngineError("cancelled", "the connection was closed");
    if (this.#tunnel !== undefined && this.#tunnel.child.exitCode === null && this.#tunnel.child.signalCode === null) return this.#tunnel;
    this.#tunnel = undefined;
    if (this.#byCommand) return undefined;
    if (this.#failed !== undefined && performance.now() - this.#failed.at < againMs) throw this.#failed.error;
    try {
      return await this.#find(signal);
    } catch (error) {
      if (!signal.aborted) this.#failed = { at: performance.now(), error };
      throw error;
    }
  }

  /** Forwards the socket, else settles for the command. */
  async #find(signal: AbortSignal): Promise<Tunnel | undefined> {
    // Windows' ssh has no sockets to listen at.
    const tunnel = process.platform === "win32" ? undefined : await this.#forward(signal);
    if (tunnel !== undefined && (await answers(tunnel.socket, signal))) return (this.#tunnel = tunnel);
    tunnel?.child.kill();
    await this.#askCommand(signal);
    this.#byCommand = true;
    return undefined;
  }

  async #forward(signal: AbortSignal): Promise<Tunnel | undefined> {
    const directory = await mkdtemp(join(tmpdir(), "slipway-ssh-"));
    this.#directories.add(directory);
    const socket = join(directory, "docker.sock");
    const child = this.#run(["-N", "-o", "ExitOnForwardFailure=yes", "-L", `${socket}:${this.#to.socket}`], []);
    child.once("close", () => void this.#remove(directory).catch(() => undefined)); // tried again when the route is closed
    const said = wordsOf(child);
    const late = AbortSignal.any([signal, AbortSignal.timeout(openMsMax)]);
    try {
      while (!(await listens(socket))) {
        const failure = said.failed();
        if (failure !== undefined) throw failure;
        await delay(lookMs, late);
      }
      return { child, socket };
    } catch (error) {
      child.kill();
      throw error instanceof UnreachedError || signal.aborted ? error : new UnreachedError("noAnswer", `ssh has not connected within ${openMsMax / 1000} s`);
    }
  }

  async #remove(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true });
    this.#directories.delete(directory);
  }

  /** Whether `docker system dial-stdio` leads to an engine; rejects with what it says when it does not. */
  async #askCommand(signal: AbortSignal): Promise<void> {
    const child = this.#run([], dialStdio(this.#to));
    const said = wordsOf(child);
    try {
      await ping(streamOf(child), AbortSignal.any([signal, AbortSignal.timeout(openMsMax)]));
    } catch {
      child.kill();
      await said.ended;
      throw said.failed() ?? unreachedBySsh(said.words(), "noDocker");
    }
  }

  #dialStdio(): Duplex {
    return streamOf(this.#run([], dialStdio(this.#to)));
  }

  #run(options: readonly string[], command: readonly string[]): ChildProcessWithoutNullStreams {
    const { user, host, port } = this.#to;
    const login = [...(user === undefined ? [] : ["-l", user]), ...(port === undefined ? [] : ["-p", String(port)])];
    const child = spawn("ssh", [...quiet, ...options, ...login, "--", host, ...command], { stdio: "pipe", windowsHide: true });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    child.stdin.on("error", () => undefined); // shows as the end of its output
    return child;
  }
}

/** Without a path the docker command there knows best where its engine is. */
const dialStdio = ({ socket }: { readonly socket: string }): readonly string[] => [
  "docker",
  ...(socket === dockerSocket ? [] : ["--host", `unix://${socket}`]),
  "system",
  "dial-stdio",
];

const listens = (socket: string): Promise<boolean> =>
  dialPath(socket).then(
    (stream) => (stream.destroy(), true),
    () => false,
  );

const answers = (socket: string, signal: AbortSignal): Promise<boolean> =>
  dialPath(socket)
    .then((stream) => ping(stream, AbortSignal.any([signal, AbortSignal.timeout(openMsMax)])))
    .then(
      () => true,
      () => false,
    );

/** What an ssh says of itself, and why it ended once it has. */
function wordsOf(child: ChildProcessWithoutNullStreams): { words(): string; failed(): UnreachedError | undefined; readonly ended: Promise<void> } {
  let words = "";
  let failure: UnreachedError | undefined;
  const ended = Promise.withResolvers<void>();
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-wordsCharsMax)));
  child.once("error", (error) => {
    failure = codeOf(error) === "ENOENT" ? new UnreachedError("noSsh", "there is no program ssh on this computer") : unreachedBySsh(error.message);
    ended.resolve();
  });
  child.once("close", (code) => {
    failure ??= unreachedBySsh(words, code === 127 ? "noDocker" : "other");
    ended.resolve();
  });
  return { words: () => words, failed: () => failure, ended: ended.promise };
}

/** The program's input and output as one stream; its end ends the program. */
function streamOf(child: ChildProcessWithoutNullStreams): Duplex {
  child.stderr.resume();
  child.once("error", () => undefined);
  const stream = Duplex.from({ writable: child.stdin, readable: child.stdout });
  stream.once("close", () => void child.kill());
  return stream;
}
