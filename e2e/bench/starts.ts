import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { delay } from "#base/deadline.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { repository } from "../fixtures/program.ts";
import { openReferenceNetwork, spawnReferenceDockerd } from "../reference/dockerd.ts";
import { median, type Outcome } from "./outcomes.ts";
import { Target } from "./target.ts";

/** A daemon that can be started with a directory of its own for everything, `docker.sock` among it. */
interface Daemon {
  readonly label: string;
  start(directory: string): ChildProcess;
}

const netns = { ours: "slipway-bench", reference: "slipway-bench-ref" };
const rounds = 5;
const containers = 100;

const launch = join(repository, "electron/launch/engine.mjs");
/** What `npm run engine` becomes. */
const { launcherCommand } = (await import(launch)) as { launcherCommand(args: readonly string[]): [string, string[]] };
const stdio = ["ignore", "ignore", "pipe"] as const;
const engineArguments = (directory: string): string[] => [
  "--root",
  join(directory, "root"),
  "--socket",
  join(directory, "docker.sock"),
  "--isolate",
  netns.ours,
];

const ours: Daemon = {
  label: "ours",
  start: (directory) => spawn(...launcherCommand(engineArguments(directory)), { stdio: [...stdio] }),
};

/** As a developer starts it: looks first whether the bundle is up to date. */
const byCommand: Daemon = {
  label: "ours by npm run engine",
  start: (directory) => spawn(join(repository, "node_modules/.bin/node"), [launch, ...engineArguments(directory)], { stdio: [...stdio] }),
};

const reference: Daemon = { label: "dockerd", start: (directory) => spawnReferenceDockerd(directory, netns.reference) };

/**
 * From the start of a program to its first answer: with nothing, and with a hundred containers that do not run. Measured is what each
 * daemon needs itself: a shell that makes a mount namespace, pivots into the daemon's tree and becomes it, and with dockerd the
 * containerd that it starts and waits for, since it cannot answer without. Network namespaces are there before, and the bundle is built.
 */
export async function startOutcomes(): Promise<Outcome[]> {
  using undo = new DisposableStack();
  for (const name of Object.values(netns)) undo.use(openReferenceNetwork(name));
  const directory = mkdtempSync("/var/tmp/slipway-start-");
  undo.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  const daemons = [ours, reference];
  const commands = [byCommand, reference];
  const name = (what: string, of = daemons): string => `start to the first answer${what} (${of.map(({ label }) => label).join(" / ")})`;
  // The first builds what is out of date.
  await startOnce(byCommand, join(directory, "first"));
  const fresh = await measured(daemons, ({ label }, round) => join(directory, `${label}-${round}`));
  const commanded = await measured(commands, ({ label }, round) => join(directory, `${label}-${round}-again`));
  const full = (daemon: Daemon): string => join(directory, `${daemon.label}-full`);
  for (const daemon of daemons) await startOnce(daemon, full(daemon), fill);
  const restarts = await measured(daemons, full);
  return [
    { row: name(""), unit: "ms", values: fresh, budget: 0.3 },
    { row: name(` with ${containers} containers`), unit: "ms", values: restarts, budget: 0.3 },
    { row: name("", commands), unit: "ms", values: commanded, budget: undefined },
  ];
}

async function measured(daemons: readonly Daemon[], place: (daemon: Daemon, round: number) => string): Promise<number[]> {
  const seen = daemons.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) for (const [i, daemon] of daemons.entries()) seen[i]?.push(await startOnce(daemon, place(daemon, round)));
  return seen.map(median);
}

async function fill(socket: string): Promise<void> {
  const target = new Target(socket);
  await target.call("POST", "/images/load?quiet=1", await dockerArchive([await busybox("slipway-bench:latest")]));
  for (let i = 0; i < containers; i += 1) await target.call("POST", `/containers/create?name=full-${i}`, { Image: "slipway-bench:latest", Cmd: ["true"] });
}

/** Starts it, has `work` done with it, stops it; how long it took to answer. */
async function startOnce(daemon: Daemon, directory: string, work?: (socket: string) => Promise<void>): Promise<number> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, "docker.sock");
  const said: Buffer[] = [];
  const start = performance.now();
  const child = daemon.start(directory);
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  try {
    while (!(await pings(socket))) {
      if (child.exitCode !== null) throw new Error(`${daemon.label} ended before it answered: ${Buffer.concat(said).toString().slice(-2000)}`);
      await delay(5);
    }
    const took = performance.now() - start;
    await work?.(socket);
    return took;
  } finally {
    child.kill("SIGTERM");
    await gone;
  }
}

const pings = (socket: string): Promise<boolean> =>
  new Promise((done) => {
    const sent = request({ socketPath: socket, path: "/_ping" }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    sent.on("error", () => done(false));
    sent.end();
  });
