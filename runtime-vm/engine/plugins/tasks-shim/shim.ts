import { withDeadline } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { spawn } from "node:child_process";
import { constants, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { processRequest, readPid, shutdownRequest } from "./messages.ts";
import { OomScore } from "./oom-score.ts";
import { bootId, shimNamespace, shimPaths, type ResolvedOptions } from "./options.ts";
import { TtrpcClient } from "./ttrpc.ts";

/** What is kept on disk of a running shim, so that the next engine finds it. */
interface ShimRecord {
  readonly address: string;
  readonly service: string;
  readonly boot: string;
}

const startMsMax = 20_000;
const callMsMax = 60_000;
const pipesMsMax = 2_000;

/** Listings of /proc in which a name may still turn up. */
const listingsMax = 50;

/** Kills shims, and starts of shims, that were given this name: names are random, so whoever has it in its command line is one. */
function killNamed(name: string): void {
  // A start may make its shim after /proc was listed, and before it is killed itself: so until nobody is found.
  for (let listings = 0; listings < listingsMax; listings += 1) if (killListed(name) === 0) return;
}

function killListed(name: string): number {
  let killed = 0;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      // As bytes first: Node 24.21 corrupts its heap when it reads a long /proc file with an encoding.
      const words = readFileSync(`/proc/${pid}/cmdline`).toString("utf8").split("\0");
      if (words[words.indexOf("-id") + 1] !== name) continue;
      process.kill(Number(pid), "SIGKILL");
      killed += 1;
    } catch {
      // It ended while we looked.
    }
  }
  return killed;
}

/** A running containerd-shim-runc-v2 that holds any number of containers, and the connection to it. */
export class Shim {
  readonly name: string;
  readonly pid: number;
  /** Tasks it holds, and creates under way. */
  tasks = 0;
  creating = 0;
  readonly #client: TtrpcClient;
  readonly #service: string;
  readonly #log: Socket;
  readonly gone: Promise<void>;
  readonly oomScore: OomScore;

  private constructor(name: string, pid: number, client: TtrpcClient, service: string, log: Socket) {
    this.name = name;
    this.pid = pid;
    this.#client = client;
    this.#service = service;
    this.#log = log;
    this.gone = client.closed;
    this.oomScore = new OomScore(pid);
  }

  /** Starts a new one; its directory is removed again when that fails. */
  static async start(name: string, options: ResolvedOptions): Promise<Shim> {
    const paths = shimPaths(options.shims);
    const dir = paths.shim(name);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    let log: Socket | undefined;
    try {
      // The shim reads this for a grouping annotation only.
      writeFileSync(`${dir}/config.json`, "{}");
      options.kernel.mkfifo(paths.shimLog(name), 0o600);
      log = openLog(name, options);
      const started = await withDeadline(startMsMax, `starting shim ${name}`, (signal) => runStart(name, dir, options, signal));
      const record: ShimRecord = { ...started, boot: bootId() };
      writeFileSync(paths.shimRecord(name), JSON.stringify(record));
      return await Shim.#open(name, record, log);
    } catch (error) {
      log?.destroy();
      rmSync(dir, { recursive: true, force: true });
      throw new EngineError("unavailable", `cannot start ${options.shimBinary}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Connects to one that an earlier engine started. Undefined, and its directory removed, when it is gone. */
  static async find(name: string, options: ResolvedOptions): Promise<Shim | undefined> {
    const paths = shimPaths(options.shims);
    let log: Socket | undefined;
    try {
      const record = JSON.parse(readFileSync(paths.shimRecord(name), "utf8")) as ShimRecord;
      if (record.boot !== bootId()) throw new EngineError("notFound", "it ran before the last boot");
      log = openLog(name, options);
      return await Shim.#open(name, record, log);
    } catch (error) {
      log?.destroy();
      options.log(`shim ${name} of an earlier engine is not usable: ${messageOf(error)}`);
      Shim.forget(name, options);
      return undefined;
    }
  }

  /** Removes what a shim that is gone left on disk; one that was killed leaves its socket, too. */
  static forget(name: string, options: ResolvedOptions): void {
    try {
      const record = JSON.parse(readFileSync(shimPaths(options.shims).shimRecord(name), "utf8")) as ShimRecord;
      rmSync(record.address, { force: true });
    } catch (error) {
      // It never got as far as having one, but may well run: its engine was killed in between.
      options.log(`shim ${name} left no record: ${messageOf(error)}`);
      killNamed(name);
    }
    rmSync(shimPaths(options.shims).shim(name), { recursive: true, force: true });
  }

  static async #open(name: string, record: ShimRecord, log: Socket): Promise<Shim> {
    const client = await TtrpcClient.open(record.address);
    try {
      const reply = await client.call(record.service, "Connect", processRequest(name), AbortSignal.timeout(startMsMax));
      return new Shim(name, readPid(reply), client, record.service, log);
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  }

  /** A call that answers at once, by the shim's measure: a minute at most. */
  async call(method: string, payload: Buffer): Promise<Buffer> {
    return await withDeadline(callMsMax, `${method} in shim ${this.name}`, (signal) => this.#client.call(this.#service, method, payload, signal));
  }

  /** A call that answers when a process ends. */
  async wait(payload: Buffer): Promise<Buffer> {
    return await this.#client.call(this.#service, "Wait", payload);
  }

  /** Ends the shim; it stays when it still holds containers. */
  async shutdown(): Promise<void> {
    await this.call("Shutdown", shutdownRequest(this.name)).catch(() => undefined);
  }

  disconnect(): void {
    this.#client[Symbol.dispose]();
    this.#log.destroy();
  }
}

/** containerd 1.7 prints the address alone, 2.x a JSON object with it and the service's version. */
export function parseStart(output: string): { address: string; service: string } {
  const text = output.trim();
  const said = text.startsWith("{") ? (JSON.parse(text) as { version?: number; address?: string }) : { version: 2, address: text };
  if (!said.address?.startsWith("unix://")) throw new EngineError("unavailable", `the shim answered ${JSON.stringify(text)} where its address belongs`);
  return { address: said.address.slice("unix://".length), service: `containerd.task.v${said.version ?? 2}.Task` };
}

/** Runs the shim's own clean-up of one container whose shim died: kills what lives, frees the runtime's state and the cgroup. */
export async function runDelete(id: string, bundle: string, options: ResolvedOptions): Promise<Buffer> {
  return await withDeadline(startMsMax, `cleaning up after the shim of ${id}`, (signal) =>
    runShim([...commonFlags(id, options), "-bundle", bundle, "delete"], bundle, options, signal),
  );
}

async function runStart(name: string, dir: string, options: ResolvedOptions, signal: AbortSignal): Promise<{ address: string; service: string }> {
  return parseStart((await runShim([...commonFlags(name, options), "start"], dir, options, signal)).toString());
}

const commonFlags = (id: string, options: ResolvedOptions): string[] => [
  "-namespace",
  shimNamespace,
  "-address",
  shimPaths(options.shims).events,
  "-publish-binary",
  "/bin/true",
  "-id",
  id,
];

async function runShim(args: string[], cwd: string, options: ResolvedOptions, signal: AbortSignal): Promise<Buffer> {
  const child = spawn(options.shimBinary, args, {
    cwd,
    signal,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      TTRPC_ADDRESS: shimPaths(options.shims).events,
      NAMESPACE: shimNamespace,
    },
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // "close" comes when its pipes are read to their end, too. Should the daemon that `start` leaves behind hold one, do not wait for that.
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (ended) => setTimeout(() => resolve(ended), pipesMsMax).unref());
  });
  const code = await Promise.race([closed, exited]);
  child.stdout.destroy();
  child.stderr.destroy();
  if (code !== 0) throw new EngineError("unavailable", `${args.at(-1)} ended with ${code}: ${Buffer.concat(err).toString().trim()}`);
  return Buffer.concat(out);
}

/** The shim blocks on its log FIFO until somebody reads it: both ends are ours, opened before it starts, and read for ever. */
function openLog(name: string, options: ResolvedOptions): Socket {
  const fd = openSync(shimPaths(options.shims).shimLog(name), constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.unref();
  socket.on("error", () => undefined);
  createInterface({ input: socket }).on("line", (line) => {
    if (!noise.test(line)) options.log(`shim ${name}: ${line}`);
  });
  return socket;
}

/** Its plugins loading, and that it cannot watch a cgroup for memory kills, which nobody asked it to. */
const noise = /level=(?:info|debug)|cgroupsv2\.Manager\.EventChan/;
