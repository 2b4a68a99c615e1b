import { statfs } from "node:fs/promises";
import { arch } from "node:os";
import { delay, withDeadline } from "#base/deadline.ts";
import { type DiskRoom, roomFrom } from "#base/disk-room.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { Bin } from "#core/bin/bin.ts";
import type { EngineFlags } from "#core/config/flags.ts";
import type { EngineConfig } from "#core/config/config.ts";
import { Builds } from "#core/builds/builds.ts";
import { BuildCache } from "#core/builds/cache.ts";
import { keptLayers } from "#core/builds/kept.ts";
import { SteadyClock } from "#core/clock/steady.ts";
import { Compose } from "#core/compose/compose.ts";
import { type ContainerBackends } from "#core/containers/backends.ts";
import { ContainerManager } from "#core/containers/containers.ts";
import { prepareRoot } from "#core/containers/prepare-root.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import { hostPlatform } from "#core/images/platform.ts";
import { loadStarterImage } from "#core/images/starter.ts";
import type { Journal } from "#core/journal/journal.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import { exposedCollector, MemoryKeeper } from "#core/memory/memory.ts";
import { hostFileReader, hostResolvConf } from "#core/networks/host.ts";
import { openNetworking } from "#core/networks/open.ts";
import { PressureRecorder } from "#core/pressure/recorder.ts";
import { enginePaths } from "#core/paths.ts";
import { mappedRoot } from "#core/userns/identity.ts";
import { openUserns } from "#core/userns/open.ts";
import { remappedRoot } from "#core/userns/remap.ts";
import { VolumeContents } from "#core/volumes/contents.ts";
import { DiskWatch } from "#core/system/disk-watch.ts";
import { metricsText } from "#core/system/metrics.ts";
import { reloader } from "#core/system/reload.ts";
import { withEnvironment } from "#core/system/proxies.ts";
import { openRuntimeFacts } from "#core/system/runtime.ts";
import type { StopRequest } from "#core/system/stop.ts";
import { createSystemInfo } from "#core/system/system.ts";
import type { GuestLink } from "#link/serve.ts";
import { openBuildKit } from "#plugins/builds-buildkit/buildkit.ts";
import { openContent } from "#plugins/content-ocilayout/layout.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { openImages } from "#plugins/images-sqlite/store.ts";
import { FileJournal } from "#plugins/journal-file/journal.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openLayers } from "#plugins/layers-erofs/layers.ts";
import { createLogDrivers } from "#plugins/logs-jsonfile/drivers.ts";
import { FileLogMemory } from "#plugins/logs-jsonfile/log-memory.ts";
import { createRemoteLogDrivers } from "#plugins/logs-remote/drivers.ts";
import { byNameResolver } from "#plugins/names-dns/by-name.ts";
import { serverResolver } from "#plugins/names-dns/forward.ts";
import { DnsService } from "#plugins/names-dns/server.ts";
import { type HostGateway, openHostGateway } from "#plugins/host-gateway/gateway.ts";
import { BridgeDriver } from "#plugins/networks-bridge/driver.ts";
import { openOverlay } from "#plugins/networks-overlay/overlay.ts";
import { alsoLocally } from "#plugins/ports-local/also.ts";
import { localPorts } from "#plugins/ports-local/publisher.ts";
import { openRegistries } from "#plugins/registry-http/registries.ts";
import { AppArmor } from "#plugins/specs-docker/apparmor.ts";
import { createDockerSpecs } from "#plugins/specs-docker/builder.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { createPressureReader } from "#plugins/stats-cgroup/pressure.ts";
import { createCgroupStats } from "#plugins/stats-cgroup/reader.ts";
import { openShimRuntime } from "#plugins/tasks-shim/runtime.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { LocalVolumes } from "#plugins/volumes-local/store.ts";
import { PullFailures } from "#core/why/pull-failures.ts";
import { explainBoot } from "#core/why/rules-boot.ts";
import { diskTakers } from "#server/disk-takers.ts";
import { ApiServer } from "#server/http.ts";
import { afterwards, allRoutes } from "#server/routes.ts";
import { hostAddress, hostNames, openLink, userNetwork } from "./machine.ts";
import { type Engine, runProgram } from "./program.ts";

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
  compose: { script: "/usr/libexec/slipway/compose.sh", program: "/usr/libexec/docker/cli-plugins/docker-compose" },
} as const;

/** Whoever called sudo owns the socket. */
const caller = { uid: Number(process.env["SUDO_UID"] ?? 0), gid: Number(process.env["SUDO_GID"] ?? 0) };

/** Who waited for `ready` asks at once, and is answered before what nobody asked for is done. */
const settleDelayMs = 100;

/** How long a stop may take altogether before the process goes anyway: the longest stop timeouts are the containers' own affair. */
const closeMsMax = 15_000;

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
  const room = async (): Promise<DiskRoom> => roomFrom(await statfs(config.root));
  const clock = new SteadyClock();
  const bin = cleanup.use(new Bin({ state, limits: () => config.trash, room, clock, sweep: () => sweep(), reclaimed: () => trash.drained(), journal }));
  const events = new MemoryEventLog();
  const link = openLink({ config, flags, kernel, journal, stop, release });
  const hostFile = hostFileReader(kernel, config.hostPrefix);
  const map = config.usernsRemap === "" ? undefined : remappedRoot(config.usernsRemap, hostFile);
  const ways = [paths.containers, paths.snapshots, paths.volumes, paths.builds, paths.buildMounts, paths.buildWork];
  const userns = map === undefined ? undefined : await openUserns(kernel, { userns: paths.userns, ways }, map);
  const [content, { layers, snapshots, ...layerThreads }] = [
    await openContent({ content: paths.content, ingest: paths.ingest, trash }, (to, at, from) => kernel.copy(to, at, from)),
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
  const layersHeld = { cached: (): Iterable<BuiltLayer> => buildCache.layers(), trashedLayers: (): BuiltLayer[] => keptLayers(bin) };
  const { images, builder, swept, sweep } = openImages({
    state,
    bin,
    content,
    layers,
    registries,
    events,
    architecture: arch(),
    limits: config,
    ...layersHeld,
  });
  const volumePlaces = { directory: paths.volumes, kept: paths.removedVolumes, hostPrefix: config.hostPrefix };
  const volumes = new LocalVolumes({ state, kernel, trash, bin, events, journal, ...volumePlaces, owner: mappedRoot(map) });
  const gateway = link === undefined ? undefined : cleanup.use(await openGateway(link, kernel, journal));
  const driver = cleanup.use(new BridgeDriver(kernel, gateway === undefined ? undefined : { ...userNetwork, gateway }, config));
  const servers = serverResolver(() => hostResolvConf(hostFile).servers);
  const fallback = link === undefined ? servers : byNameResolver((name, type, opts) => link.resolve(name, type, opts), servers);
  const names = new DnsService({ kernel, fallback });
  const publisher = link === undefined ? localPorts : alsoLocally(link.publisher);
  const inUserns = userns === undefined ? {} : { userns: userns.path };
  const inVm = link === undefined ? {} : { resolveInside: true, hostGateway: hostAddress, fixedNames: hostNames };
  const { overlay, hostPrefix } = config;
  const shared = overlay === undefined ? {} : { shared: cleanup.use(openOverlay({ kernel, journal, config: overlay, hostPrefix })) };
  const { networks, sandboxes, ...networking } = openNetworking({
    state,
    bin,
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
    ...shared,
  });
  cleanup.use(networking);
  const logDrivers = createLogDrivers({ directory: paths.containers, report: log });
  cleanup.use(logDrivers);
  const remoteLogDrivers = createRemoteLogDrivers({ cache: logDrivers.cache, kernel, hostPrefix: config.hostPrefix, report: log });
  const logs = new Map(Object.entries({ ...logDrivers.drivers, ...remoteLogDrivers }));
  const memory = { containers: paths.containers, memory: paths.logMemory, limits: config.logMemory, clock };
  const logMemory = new FileLogMemory({ ...memory, report: (line) => journal.warn(line) });
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
    logMemory,
    stats,
    events,
    kernel,
    trash,
    bin,
    journal,
    config,
    paths,
    ...(userns === undefined ? {} : { userns }),
  };
  const containers = new ContainerManager(backends);
  await containers.restore();
  const pressure = cleanup.use(new PressureRecorder({ reader: createPressureReader(), events, journal, subjects: () => containers.subjects() }));
  const containerId = (reference: string): string => containers.idOf(reference);
  const builds = new Builds({ ...backends, images, builder, registries, host: hostPlatform(arch()), containerId }, buildCache);
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
    devices: () => specs.devicesByName(),
    containers: () => containers.counts(),
    images: async () => (await images.list({ filters: {}, manifests: false, sharedSize: false, users: () => [] })).length,
    listeners: () => events.readerCount,
  });
  const routes = allRoutes({
    system,
    events,
    bin,
    containers,
    images,
    pulls: new PullFailures(),
    volumes,
    volumeContents: new VolumeContents({ volumes, kernel, map }),
    networks,
    registries,
    builds,
    pressure,
    compose: new Compose({ ...tree.compose, socket: config.socket, hostPrefix: config.hostPrefix }),
    buildKit: openBuildKit(builds, { version: buildKitVersion, tool: `slipway-${release}` }),
    journal,
  });
  const disk = new DiskWatch({ root: config.root, describe: () => diskTakers({ containers, images, volumes, builds, bin }), journal });
  cleanup.use(disk);
  // Who acts at the first `ready` ever finds it, and nobody waits for it to be told that the engine is there.
  const starter = loadStarterImage(tree.starterImage, { images, state, journal });
  const server = new ApiServer(afterwards(starter, routes), journal, { experimental: config.experimental });
  const counts = { version: release, containers: () => containers.counts(), events: () => events.publishedCount, listeners: () => events.readerCount };
  return {
    server,
    metrics: () => metricsText({ ...counts, requests: () => server.requestCount }),
    reload: reloader({ journal, events, engineId: system.id }),
    settle: async () => {
      await delay(settleDelayMs);
      try {
        networks.prepare();
      } catch (error) {
        journal.error("bridges and packet rules could not be made: containers will fail to start on them", error);
      }
      await containers.startAtBoot();
      bin.watch();
      await starter;
      await swept;
      await disk.look();
    },
    close: async ({ stopContainers }) => {
      await server[Symbol.asyncDispose]();
      await withDeadline(closeMsMax, "ending builds", () => builds.close());
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

try {
  await runProgram(process.argv.slice(2), { release, caller, openJournal: (path, config) => new FileJournal(path, config), open: openEngine });
  process.exit(0);
} catch (error) {
  const { Verdict, Fix } = explainBoot(messageOf(error));
  console.error(`slipway engine: ${messageOf(error)}\n  why: ${Verdict}\n  fix: ${Fix}`);
  if (!(error instanceof EngineError)) console.error(error);
  process.exit(1);
}
