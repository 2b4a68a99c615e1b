import { mkdirSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { messageOf } from "#base/errors.ts";
import type { EngineConfig } from "#core/config/config.ts";
import { readConfigFile } from "#core/config/file.ts";
import { type EngineFlags, parseFlags } from "#core/config/flags.ts";
import { LiveConfig } from "#core/config/live.ts";
import { socketOwner } from "#core/config/owner.ts";
import type { Journal } from "#core/journal/journal.ts";
import { enginePaths } from "#core/paths.ts";
import { openPidFile } from "#core/system/pidfile.ts";
import type { Reload } from "#core/system/reload.ts";
import { type StopRequest, stopRequest } from "#core/system/stop.ts";
import { formatConfigFailure } from "#link/boot.ts";
import type { ApiServer } from "#server/http.ts";
import { openMetrics } from "#server/metrics.ts";
import { placesOf } from "#server/places.ts";

/** All nouns, wired. */
export interface Engine {
  readonly server: ApiServer;
  readonly metrics: () => string;
  readonly reload: Reload;
  /** What is done after the first answer: networks, restart policies, sweeping. */
  settle(): Promise<void>;
  close(opts: { stopContainers: boolean }): Promise<void>;
}

/** What the composition root adds to a program. */
interface Program<J> {
  readonly release: string;
  readonly caller: { readonly uid: number; readonly gid: number };
  openJournal(path: string, config: EngineConfig): J;
  open(config: EngineConfig, flags: EngineFlags, journal: J, stop: StopRequest): Promise<Engine>;
}

/**
 * The engine as a program: reads flags and daemon.json, wires the nouns, answers on its socket, prints `ready PATH`, and goes at
 * SIGTERM. Containers outlive it with live-restore; without it, and when the machine is shut down, each is stopped first.
 */
export async function runProgram<J extends Journal & Disposable>(args: readonly string[], { release, caller, openJournal, open }: Program<J>): Promise<void> {
  if (args.includes("--version")) return console.log(`slipway engine ${release}`);
  const flags = parseFlags(args);
  const live = configured(flags);
  const config = live.view;
  const paths = enginePaths(config.root);
  for (const path of [config.root, paths.run, paths.containers]) mkdirSync(path, { recursive: true, mode: 0o711 });
  using _pid = config.pidFile === "" ? undefined : openPidFile(config.hostPrefix + config.pidFile);
  using journal = openJournal(paths.log, config);
  guard(journal);
  for (const warning of config.warnings) journal.warn(warning);
  const stop = stopRequest(() => config.liveRestore);
  const [owner, places] = [socketOwner(config, caller), placesOf(config, caller)];
  const engine = await open(config, flags, journal, stop);
  await using also = new AsyncDisposableStack();
  try {
    await engine.server.listen(config.socket, owner);
    for (const place of places) await engine.server.listenAlso(place);
    if (config.metricsAddress !== "") also.use(await openMetrics(config.metricsAddress, engine.metrics));
  } catch (error) {
    // Its shims would keep what the launcher made.
    await engine.close({ stopContainers: false });
    throw error;
  }
  process.on("SIGHUP", () => engine.reload(() => live.reload(readConfigFile(flags.config) ?? "")));
  console.log(`ready ${config.socket}`);
  journal.info(`ready at ${config.socket} after ${Math.round(performance.now())} ms`);
  flushCompileCache();
  const settled = engine.settle();
  const { stopContainers, powerOff } = await stop.asked;
  await settled;
  await engine.close({ stopContainers });
  journal.info("stopped");
  stop.done();
  // Still to come: the link tells the host and switches the guest off. An engine that just ended would be started again by init.
  if (powerOff === true) await stop.switchedOff.promise;
}

function configured(flags: EngineFlags): LiveConfig {
  try {
    return new LiveConfig(flags, readConfigFile(flags.config));
  } catch (error) {
    // Whoever boots a machine for it need not wait for an engine that cannot start.
    if (flags.ctl !== undefined) console.error(formatConfigFailure(messageOf(error)));
    throw error;
  }
}

/** What nobody caught is logged and the engine goes on: a broken connection must not take containers' control away. */
function guard(journal: Journal): void {
  process.on("uncaughtException", (error) => journal.error("nobody caught", error));
  process.on("unhandledRejection", (error) => journal.error("nobody caught", error));
  process.on("SIGPIPE", () => {});
}
