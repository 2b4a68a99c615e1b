import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { arch } from "node:os";
import { withDeadline } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { type EngineFlags, parseFlags } from "#core/config/flags.ts";
import { LiveConfig } from "#core/config/live.ts";
import type { EngineConfig } from "#core/config/config.ts";
import { readConfigFile } from "#core/config/file.ts";
import { socketOwner } from "#core/config/owner.ts";
import { Builds } from "#core/builds/builds.ts";
import { BuildCache } from "#core/builds/cache.ts";
import { type ContainerBackends } from "#core/containers/backends.ts";
import { ContainerManager } from "#core/containers/containers.ts";
import { prepareRoot } from "#core/containers/prepare-root.ts";
import { hostPlatform } from "#core/images/platform.ts";
import { loadStarterImage } from "#core/images/starter.ts";
import type { Journal } from "#core/journal/journal.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import { exposedCollector, MemoryKeeper } from "#core/memory/memory.ts";
import { hostFileReader, hostResolvConf } from "#core/networks/host.ts";
import { prefixOf } from "#core/networks/address.ts";
import { openNetworking } from "#core/networks/open.ts";
import { enginePaths } from "#core/paths.ts";
import { mappedRoot } from "#core/userns/identity.ts";
import { openUserns } from "#core/userns/open.ts";
import { remappedRoot } from "#core/userns/remap.ts";
import { metricsText } from "#core/system/metrics.ts";
import { openPidFile } from "#core/system/pidfile.ts";
import { type Reload, reloader } from "#core/system/reload.ts";
import { withEnvironment } from "#core/system/proxies.ts";
import { openRuntimeFacts } from "#core/system/runtime.ts";
import { type StopRequest, stopRequest } from "#core/system/stop.ts";
import { createSystemInfo } from "#core/system/system.ts";
import { type GuestLink, serveLink } from "#link/serve.ts";
import { openBuildKit } from "#plugins/builds-buildkit/buildkit.ts";
import { openContent } from "#plugins/content-ocilayout/layout.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { openImages } from "#plugins/images-sqlite/store.ts";
import { FileJournal } from "#plugins/journal-file/journal.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openLayers } from "#plugins/layers-erofs/layers.ts";
import { createLogDrivers } from "#plugins/logs-jsonfile/drivers.ts";
import { createRemoteLogDrivers } from "#plugins/logs-remote/drivers.ts";
import { byNameResolver } from "#plugins/names-dns/by-name.ts";
import { serverResolver } from "#plugins/names-dns/forward.ts";
import { DnsService } from "#plugins/names-dns/server.ts";
import { type HostGateway, openHostGateway } from "#plugins/host-gateway/gateway.ts";
import { BridgeDriver } from "#plugins/networks-bridge/driver.ts";
import { alsoLocally } from "#plugins/ports-local/also.ts";
import { localPorts } from "#plugins/ports-local/publisher.ts";
import { openRegistries } from "#plugins/registry-http/registries.ts";
import { AppArmor } from "#plugins/specs-docker/apparmor.ts";
import { createDockerSpecs } from "#plugins/specs-docker/builder.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { createCgroupStats } from "#plugins/stats-cgroup/reader.ts";
import { openShimRuntime } from "#plugins/tasks-shim/runtime.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { LocalVolumes } from "#plugins/volumes-local/store.ts";
import { ApiServer } from "#server/http.ts";
import { openMetrics } from "#server/metrics.ts";
import { placesOf } from "#server/places.ts";
import { archiveRoutes } from "#server/routes-archive.ts";
import { buildRoutes } from "#server/routes-build.ts";
import { commitRoutes } from "#server/routes-commit.ts";
import { containerRoutes } from "#server/routes-containers.ts";
import { execRoutes } from "#server/routes-exec.ts";
import { imageRoutes } from "#server/routes-images.ts";
import { networkRoutes } from "#server/routes-networks.ts";
import { registryRoutes } from "#server/routes-registry.ts";
import { slipwayRoutes } from "#server/routes-slipway.ts";
import { storeRoutes } from "#server/routes-store.ts";
import { streamRoutes } from "#server/routes-streams.ts";
import { systemRoutes } from "#server/routes-system.ts";
import { volumeRoutes } from "#server/routes-volumes.ts";

/** This program's own release; the API speaks with the reference engine's. */
const release = "0.1.0";
/** Of the reference engine: clients ask for it to know what they may ask for. */
const buildKitVersion = "v0.25.0";
const cgroupRoot = "/sys/fs/cgroup";
/** Where the tool tree keeps what is ours. */
const tree = {
  seccompProfile: "/usr/share/slipway/seccomp.json",
  apparmorPolicy: "/usr/share/slipway/apparmor.policy",
  starterImage: "/usr/share/slipway/starter.tar",
  /** Linked statically: it runs as PID 1 of containers that have no libraries. */
  init: "/usr/bin/tini-static",
} as const;

/** Whoever called sudo owns the socket. */
const caller = { uid: Number(process.env["SUDO_UID"] ?? 0), gid: Number(process.env["SUDO_GID"] ?? 0) };

/** How long a stop may take altogether before the process goes anyway: the longest stop timeouts are the containers' own affair. */
const closeMsMax = 15_000;

/**
 * The engine as a program: reads flags and daemon.json, wires the nouns, answers on its socket, prints `ready PATH`, and goes at
 * SIGTERM. Containers outlive it with live-restore; without it, and when the machine is shut down, each is stopped first.
 */
async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--version")) return console.log(`slipway engine ${release}`);
  const flags = parseFlags(args);
  const live = new LiveConfig(flags, readConfigFile(flags.config));
  const config = live.view;
  const paths = enginePaths(config.root);
  for (const path of [config.root, paths.run, paths.containers]) mkdirSync(path, { recursive: true, mode: 0o711 });
  using _pid = config.pidFile === "" ? undefined : openPidFile(config.hostPrefix + config.pidFile);
  using journal = new FileJournal(paths.log, config);
  guard(journal);
  for (const warning of config.warnings) journal.warn(warning);
  const stop = stopRequest(() => config.liveRestore);
  const [owner, places] = [socketOwner(config, caller), placesOf(config, caller)];
  const engine = await openEngine(config, flags, journal, stop);
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

/** QEMU's user network: through it a guest reaches the loopback of the machine around it, which is not for containers. */
const userNetwork = { forbidden: ["10.0.2.0/24", "fec0::/64"].map(prefixOf), resolver: "10.0.2.3" };
/** The machine around a VM has this address for containers, and these names. */
const hostAddress = "192.168.65.254";
const hostNames = new Map(["host.docker.internal", "gateway.docker.internal"].map((name) => [name, hostAddress]));

interface Engine {
  readonly server: ApiServer;
  readonly metrics: () => string;
  readonly reload: Reload;
  /** What is done after the first answer: restart policies, the starter image, sweeping. */
  settle(): Promise<void>;
  close(opts: { stopContainers: boolean }): Promise<void>;
}

async function openEngine(config: EngineConfig, flags: EngineFlags, journal: FileJournal, stop: StopRequest): Promise<Engine> {
  const paths = enginePaths(config.root);
  // Shims are told to log little and log much; their lines carry the level.
  const log = (line: string): void => (line.includes("level=info") ? journal.debug(line) : journal.info(line));
  const cleanup = new AsyncDisposableStack();
  const state = cleanup.use(openSqliteState(paths.state));
  const kernel = createKernel();
  const collect = exposedCollector();
  if (collect !== undefined) cleanup.use(new MemoryKeeper({ kernel, collect }));
  const trash = openTrash(paths.trash, log);
  const events = new MemoryEventLog();
  const link = openLink(config, flags, kernel, journal, stop);
  const hostFile = hostFileReader(kernel, config.hostPrefix);
  const map = config.usernsRemap === "" ? undefined : remappedRoot(config.usernsRemap, hostFile);
  const ways = [paths.containers, paths.snapshots, paths.volumes];
  const userns = map === undefined ? undefined : await openUserns(kernel, { userns: paths.userns, ways }, map);
  const [content, { layers, snapshots, ...layerThreads }] = [
    await openContent({ content: paths.content, ingest: paths.ingest, trash }),
    openLayers({ paths, trash, kernel, log, outfit: (root) => prepareRoot(kernel, root), ...(userns === undefined ? {} : { userns: userns.mounts }) }),
  ];
  cleanup.use(layerThreads);
  const registries = cleanup.use(
    openRegistries({
      // Asked at each use, since a reload may change them.
      get insecureRegistries() {
        return config.insecureRegistries;
      },
      get mirrors() {
        return config.registryMirrors;
      },
      proxies: withEnvironment(config.proxies, process.env),
      userAgent: `slipway/${release}`,
      certificates: `${config.hostPrefix}/etc/docker/certs.d`,
    }),
  );
  const buildCache = new BuildCache(state, (layer) => builder.hasLayer(layer));
  const cached = (): ReturnType<BuildCache["layers"]> => buildCache.layers();
  const { images, builder, swept } = openImages({ state, content, layers, registries, events, architecture: arch(), limits: config, cached });
  const volumes = new LocalVolumes({ state, kernel, trash, events, journal, directory: paths.volumes, hostPrefix: config.hostPrefix, owner: mappedRoot(map) });
  const gateway = link === undefined ? undefined : cleanup.use(await openGateway(link, kernel, journal));
  const driver = cleanup.use(new BridgeDriver(kernel, gateway === undefined ? undefined : { ...userNetwork, gateway }, config));
  const servers = serverResolver(() => hostResolvConf(hostFile).servers);
  const fallback = link === undefined ? servers : byNameResolver((name, type, opts) => link.resolve(name, type, opts), servers);
  const names = new DnsService({ kernel, fallback });
  const publisher = link === undefined ? localPorts : alsoLocally(link.publisher);
  const inUserns = userns === undefined ? {} : { userns: userns.path };
  const inVm = link === undefined ? {} : { resolveInside: true, hostGateway: hostAddress, fixedNames: hostNames };
  const { networks, sandboxes, ...networking } = openNetworking({
    state,
    kernel,
    events,
    journal,
    driver,
    names,
    publisher,
    paths,
    config,
    ...inVm,
    ...inUserns,
  });
  cleanup.use(networking);
  const logDrivers = createLogDrivers({ directory: paths.containers, report: log });
  cleanup.use(logDrivers);
  const remoteLogDrivers = createRemoteLogDrivers({ cache: logDrivers.cache, kernel, hostPrefix: config.hostPrefix, report: log });
  const logs = new Map(Object.entries({ ...logDrivers.drivers, ...remoteLogDrivers }));
  const apparmor = AppArmor.open({ policy: tree.apparmorPolicy });
  const confinement = { seccompProfile: tree.seccompProfile, ...(apparmor === undefined ? {} : { apparmor }) };
  const specs = createDockerSpecs({ kernel, defaults: config, ...confinement, initBinary: tree.init, cgroupRoot });
  const tasks = await openShimRuntime({ bundles: paths.bundles, shims: paths.shims, kernel, log, cgroupRoot });
  const stats = createCgroupStats();
  const backends: ContainerBackends = {
    state,
    images,
    snapshots,
    layers,
    sandboxes,
    networks,
    volumes,
    specs,
    tasks,
    logs,
    stats,
    events,
    kernel,
    trash,
    journal,
    config,
    paths,
    ...(userns === undefined ? {} : { userns }),
  };
  const containers = new ContainerManager(backends);
  await containers.restore();
  const containerId = (reference: string): string => containers.idOf(reference);
  const builds = new Builds({ ...backends, images, builder, host: hostPlatform(arch()), containerId }, buildCache);
  const system = createSystemInfo({
    config,
    state,
    layerMethod: layers.method,
    logDrivers: [...logs.keys()],
    cgroupRoot,
    apparmor: apparmor !== undefined,
    version: release,
    proxies: withEnvironment(config.proxies, process.env),
    runtime: openRuntimeFacts(),
    containers: () => containers.counts(),
    images: async () => (await images.list({ filters: {}, manifests: false, sharedSize: false, users: () => [] })).length,
    listeners: () => events.readerCount,
  });
  const routes = [
    ...systemRoutes({ system, events, containers, images, volumes, registries, builds }),
    ...slipwayRoutes(journal),
    ...storeRoutes(images),
    ...execRoutes(containers),
    ...streamRoutes(containers),
    ...archiveRoutes(containers),
    ...commitRoutes(containers),
    ...containerRoutes(containers),
    ...registryRoutes(images, registries),
    ...imageRoutes(images, (id) => containers.imageUsers(id)),
    ...networkRoutes(networks),
    ...volumeRoutes(volumes),
    ...buildRoutes(builds, openBuildKit(builds, buildKitVersion)),
  ];
  const server = new ApiServer(routes, journal);
  const counts = { version: release, containers: () => containers.counts(), events: () => events.publishedCount, listeners: () => events.readerCount };
  return {
    server,
    metrics: () => metricsText({ ...counts, requests: () => server.requestCount }),
    reload: reloader({ journal, events, engineId: system.id }),
    settle: async () => {
      try {
        networks.prepare();
      } catch (error) {
        journal.error("bridges and packet rules could not be made: containers will fail to start on them", error);
      }
      await containers.startAtBoot();
      await loadStarterImage(tree.starterImage, { images, state, journal });
      await swept;
    },
    close: async ({ stopContainers }) => {
      await server[Symbol.asyncDispose]();
      await containers.close({ stopContainers });
      await withDeadline(closeMsMax, "closing the engine", async () => {
        // Only shims without containers end.
        await tasks.close({ stopShims: true });
        await trash.drained();
        await cleanup.disposeAsync();
      });
    },
  };
}

const openGateway = (link: GuestLink, kernel: Kernel, journal: Journal): Promise<HostGateway> =>
  openHostGateway({ kernel, address: hostAddress, dial: (port) => link.dialHost("127.0.0.1", port), log: (line) => journal.debug(line) });

/** The engine's side of the link to the machine's host, when it runs in one. */
function openLink(config: EngineConfig, { link, ctl }: EngineFlags, kernel: Kernel, journal: Journal, stop: StopRequest): GuestLink | undefined {
  if (link === undefined || ctl === undefined) return undefined;
  return serveLink({
    linkPath: link,
    ctlPath: ctl,
    engineSocket: config.socket,
    io: kernel,
    version: release,
    shutdown: () => stop.ask({ stopContainers: true, powerOff: true }),
    powerOff: () => {
      execFileSync("poweroff");
      stop.switchedOff.resolve();
    },
    log: (line) => journal.info(line),
    signal: new AbortController().signal,
  });
}

/** What nobody caught is logged and the engine goes on: a broken connection must not take containers' control away. */
function guard(journal: Journal): void {
  process.on("uncaughtException", (error) => journal.error("nobody caught", error));
  process.on("unhandledRejection", (error) => journal.error("nobody caught", error));
  process.on("SIGPIPE", () => {});
}

try {
  await main(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  console.error(`slipway engine: ${messageOf(error)}`);
  if (!(error instanceof EngineError)) console.error(error);
  process.exit(1);
}
