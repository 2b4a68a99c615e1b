import { EngineError } from "#base/errors.ts";
import type { ContainerConfig, HostConfig } from "#api/containers.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import type { BuiltSpec, SpecBuilder, SpecRequest } from "#core/specs/builder.ts";
import { commandOf } from "#core/specs/merge.ts";
import type { OciProcess, OciSpec } from "#core/specs/spec.ts";
import { release } from "node:os";
import { isAbsolute, join, normalize } from "node:path";
import type { AppArmor } from "./apparmor.ts";
import { containerCapabilities, normalise, processCapabilities } from "./capabilities.ts";
import { cgroupParentDefault, readonlyPaths } from "./defaults.ts";
import { type DaemonDefaults, withDaemonDefaults } from "./daemon-defaults.ts";
import { requestedDevices } from "./cdi.ts";
import { type CdiHost, readCdiDevices } from "./cdi-registry.ts";
import { containerDevices, validateDevices } from "./devices.ts";
import { limitFiles } from "./limit-files.ts";
import { settleLimits } from "./limits.ts";
import { type Machine, readMachine } from "./machine.ts";
import { containerMounts, validateTmpfs } from "./mounts.ts";
import { environment, rlimits, validateUlimits } from "./process.ts";
import { containerResources } from "./resources.ts";
import { loadProfile, parseProfile, resolveSeccomp, type Profile } from "./seccomp.ts";
import { parseSecurityOptions, type SecurityOptions } from "./security.ts";
import { readAccounts, resolveUser } from "./users.ts";

export interface DockerSpecOptions {
  readonly kernel: Pick<Kernel, "openInRoot" | "hardLimit">;
  /** moby's profiles/seccomp/default.json. */
  readonly seccompProfile: string;
  /** A pure cgroup v2 mount. */
  readonly cgroupRoot?: string;
  /** What `--init` binds at /sbin/docker-init (tini); absent: `--init` is refused. */
  readonly initBinary?: string;
  /** Absent where the kernel has none. */
  readonly apparmor?: AppArmor;
  /** What daemon.json says of every container, read at each use. */
  readonly defaults?: DaemonDefaults;
}

/** Reads the machine once; containers are then built without touching anything but their own root. */
export function createDockerSpecs(options: DockerSpecOptions): SpecBuilder {
  const machine = readMachine(options.cgroupRoot ?? "/sys/fs/cgroup");
  let loaded: Profile | undefined;
  const defaultProfile = (): Profile => (loaded ??= loadProfile(options.seccompProfile));
  const complete = (host: HostConfig): HostConfig => withDaemonDefaults(host, options.defaults);
  return {
    build: (request) => buildSpec({ ...request, hostConfig: complete(request.hostConfig) }, withInit(options), machine, defaultProfile),
    validate: (config, host) => {
      validate(config, complete(host), withInit(options));
      return settleLimits(host, machine);
    },
    settle: (host) => settleLimits(host, machine, { update: true }),
    apparmorProfile: (host, started) => (started ? options.apparmor?.profileOf(complete(host)) : parseSecurityOptions(host).apparmor) ?? "",
    limitFiles: (host) => limitFiles(host, machine.controllers),
    devicesByName: () => {
      const { devices, problems } = readCdiDevices(cdiHost(options));
      return { ids: [...devices.keys()].toSorted(), problems };
    },
    execProcess: ({ rootfs, config, hostConfig, exec }) => {
      const privileged = { ...complete(hostConfig), ...(exec.Privileged ? { Privileged: true } : {}) };
      const own = { args: [...(exec.Cmd ?? [])], user: exec.User || config.User || "", cwd: exec.WorkingDir || config.WorkingDir || "/" };
      if (own.args.length === 0) throw new EngineError("invalidArgument", "No exec command specified");
      checkWorkingDir(own.cwd);
      const confinement = complete(hostConfig);
      return buildProcess({ ...own, rootfs, config, host: privileged, confinement, tty: exec.Tty ?? false, extraEnv: exec.Env ?? [] }, options, machine);
    },
  };
}

const cdiHost = ({ kernel, defaults }: DockerSpecOptions): CdiHost => ({
  kernel,
  cdiSpecDirs: defaults?.cdiSpecDirs ?? [],
  hostPrefix: defaults?.hostPrefix ?? "",
});

/** The added ones count. */
function withEnv(env: readonly string[], added: readonly string[]): string[] {
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
  const names = new Set(added.map(nameOf));
  return [...env.filter((entry) => !names.has(nameOf(entry))), ...new Map(added.map((entry) => [nameOf(entry), entry])).values()];
}

/** With the init program of daemon.json, when it names one. */
function withInit(options: DockerSpecOptions): DockerSpecOptions {
  const { initPath = "", hostPrefix = "" } = options.defaults ?? {};
  return initPath === "" ? options : { ...options, initBinary: hostPrefix + initPath };
}

function validate(config: ContainerConfig, host: HostConfig, options: DockerSpecOptions): void {
  normalise("CapAdd", host.CapAdd);
  normalise("CapDrop", host.CapDrop);
  validateUlimits(host.Ulimits);
  validateDevices(host);
  validateTmpfs(host);
  const security = parseSecurityOptions(host);
  if (security.seccomp !== undefined && security.seccomp !== "unconfined" && security.seccomp !== "builtin") parseProfile(security.seccomp);
  if (config.WorkingDir) checkWorkingDir(config.WorkingDir);
  const score = host.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  if ((host.ShmSize ?? 0) < 0) throw invalid("SHM size can not be less than 0");
  if (host.Init && options.initBinary === undefined) throw invalid("--init needs an init binary, and this engine has none");
  if (host.NetworkMode === "host") {
    const foreign = Object.keys(host.Sysctls ?? {}).find((name) => name.startsWith("net."));
    if (foreign !== undefined) throw invalid(`sysctl "${foreign}" not allowed in host network namespace`);
  }
}

function checkWorkingDir(dir: string): void {
  if (!isAbsolute(dir)) throw invalid(`the working directory '${dir}' is invalid, it needs to be an absolute path`);
}

function buildSpec(request: SpecRequest, options: DockerSpecOptions, machine: Machine, defaultProfile: () => Profile): BuiltSpec {
  const { config, hostConfig: host } = request;
  validate(config, host, options);
  const { warnings } = settleLimits(host, machine);
  const security = parseSecurityOptions(host);
  const init = host.Init && (host.PidMode ?? "") === "" ? options.initBinary : undefined;
  const command = commandOf(config);
  const process = buildProcess(
    {
      args: init === undefined ? command : ["/sbin/docker-init", "--", ...command],
      user: config.User ?? "",
      cwd: config.WorkingDir || "/",
      rootfs: request.rootfs,
      config: { ...config, Hostname: request.hostname },
      host,
      confinement: host,
      tty: config.Tty ?? false,
      extraEnv: [],
      linkEnv: request.linkEnv ?? [],
    },
    options,
    machine,
  );
  const devices = containerDevices(host);
  const injected = requestedDevices(host, process.user, cdiHost(options));
  process.env = withEnv(process.env, injected.env);
  process.user.additionalGids?.push(...injected.groups);
  const replaced = new Set(injected.mounts.map(({ destination }) => destination));
  const seccomp = seccompOf(security, host, process, defaultProfile);
  const spec: OciSpec = {
    ociVersion: "1.2.0",
    ...(host.UTSMode === "host" ? {} : { hostname: request.hostname, ...(config.Domainname ? { domainname: config.Domainname } : {}) }),
    process,
    root: { path: request.rootfs, readonly: host.ReadonlyRootfs ?? false },
    mounts: [
      ...containerMounts(request, { ...(init === undefined ? {} : { init }), writableCgroups: security.writableCgroups }).filter(
        ({ destination }) => !replaced.has(destination),
      ),
      ...injected.mounts,
    ],
    ...(host.Annotations && Object.keys(host.Annotations).length > 0 ? { annotations: { ...host.Annotations } } : {}),
    linux: {
      cgroupsPath: join("/", host.CgroupParent || cgroupParentDefault, request.id),
      namespaces: namespaces(request),
      maskedPaths: host.Privileged ? [] : [...(host.MaskedPaths ?? machine.maskedPaths)],
      readonlyPaths: host.Privileged ? [] : [...(host.ReadonlyPaths ?? readonlyPaths)],
      sysctl: sysctls(host, request.userns !== undefined),
      devices: [...devices.nodes, ...injected.nodes],
      resources: { devices: [...devices.rules, ...injected.rules], ...containerResources(host, machine.controllers) },
      ...(seccomp ? { seccomp } : {}),
      ...rootPropagation(request),
    },
  };
  return { spec, warnings };
}

/** A root that is private, as it is by default, would keep from its mounts what is mounted below them later. */
function rootPropagation({ mounts }: SpecRequest): { rootfsPropagation?: string } {
  const asked = new Set(mounts.map(({ propagation = "" }) => propagation.replace(/^r/, "")));
  return asked.has("shared") ? { rootfsPropagation: "shared" } : asked.has("slave") ? { rootfsPropagation: "rslave" } : {};
}

interface ProcessRequest {
  readonly args: string[];
  readonly user: string;
  readonly cwd: string;
  readonly rootfs: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  /** What says its AppArmor profile: the container, even for a privileged exec. */
  readonly confinement: HostConfig;
  readonly tty: boolean;
  readonly extraEnv: readonly string[];
  readonly linkEnv?: readonly string[];
}

function buildProcess(request: ProcessRequest, options: DockerSpecOptions, machine: Machine): OciProcess {
  const { config, host } = request;
  const user = resolveUser(request.user, host.GroupAdd ?? [], readAccounts(options.kernel, request.rootfs));
  return {
    terminal: request.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] },
    args: request.args,
    env: environment(config, { hostname: config.Hostname ?? "", tty: request.tty, links: request.linkEnv ?? [], extra: request.extraEnv, home: user.home }),
    cwd: normalize(request.cwd),
    capabilities: processCapabilities(containerCapabilities(host, machine.capabilities), user.uid),
    rlimits: rlimits(host.Ulimits, options.kernel),
    noNewPrivileges: parseSecurityOptions(host).noNewPrivileges,
    oomScoreAdj: host.OomScoreAdj ?? 0,
    ...(options.apparmor === undefined ? {} : { apparmorProfile: options.apparmor.prepared(request.confinement) }),
  };
}

/** A namespace is the container's own, joined by its file, or left out: then it is the engine's. */
function namespaces({ hostConfig: host, netns, userns, join: joined }: SpecRequest): { type: string; path?: string }[] {
  const found: { type: string; path?: string }[] = [{ type: "mount" }];
  if (userns !== undefined) found.push({ type: "user", path: userns });
  if (netns !== undefined) found.push({ type: "network", path: netns });
  if (host.UTSMode !== "host") found.push({ type: "uts" });
  if (joined?.pid !== undefined) found.push({ type: "pid", path: `/proc/${joined.pid}/ns/pid` });
  else if (host.PidMode !== "host") found.push({ type: "pid" });
  if (joined?.ipc !== undefined) found.push({ type: "ipc", path: `/proc/${joined.ipc}/ns/ipc` });
  else if (host.IpcMode !== "host") found.push({ type: "ipc" });
  if (host.CgroupnsMode !== "host") found.push({ type: "cgroup" });
  return found;
}

/** Ports below 1024 and ping need no privilege inside a network namespace of one's own. A user namespace has not all of these groups. */
function sysctls(host: HostConfig, mapped: boolean): Record<string, string> {
  const ping: Record<string, string> = mapped ? {} : { "net.ipv4.ping_group_range": "0 2147483647" };
  const own = host.NetworkMode === "host" ? {} : { "net.ipv4.ip_unprivileged_port_start": "0", ...ping };
  return { ...own, ...host.Sysctls };
}

function seccompOf(security: SecurityOptions, host: HostConfig, process: OciProcess, defaultProfile: () => Profile): Record<string, unknown> | undefined {
  const custom = security.seccomp === undefined || security.seccomp === "builtin" ? undefined : security.seccomp;
  if (custom === "unconfined" || (host.Privileged && custom === undefined)) return undefined;
  const profile = custom === undefined ? defaultProfile() : parseProfile(custom);
  return resolveSeccomp(profile, process.capabilities?.bounding ?? [], { arch: globalThis.process.arch, kernel: release() });
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
