import type { ContainerInspect, HostConfig } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";
import { shortId } from "./format.ts";

type Config = ContainerInspect["Config"];

/** One word of a command line, quoted when a shell would take it apart. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/**
 * The `docker run` line that makes such a container again. What the image says itself is left out: `image` is its configuration;
 * without it everything is written down.
 */
export function dockerRunLine(
  { Name, Config: config, HostConfig: host }: Pick<ContainerInspect, "Name" | "Config" | "HostConfig">,
  image?: ImageRunConfig,
): string {
  const words = ["docker", "run", "-d", "--name", Name.replace(/^\//, ""), ...processFlags(config, image), ...placeFlags(host), ...limitFlags(host)];
  const entrypoint = differs(config.Entrypoint, image?.Entrypoint) ? (config.Entrypoint ?? []) : [];
  if (entrypoint[0] !== undefined) words.push("--entrypoint", entrypoint[0]);
  const command = entrypoint.length > 0 || differs(config.Cmd, image?.Cmd) ? [...entrypoint.slice(1), ...(config.Cmd ?? [])] : [];
  return [...words, config.Image, ...command].map(quoted).join(" ");
}

const differs = (own: unknown, theirs: unknown): boolean => JSON.stringify(own ?? []) !== JSON.stringify(theirs ?? []);
/** What the container has and its image has not. */
const added = (own: readonly string[] | null | undefined, theirs: readonly string[] | null | undefined): readonly string[] =>
  (own ?? []).filter((one) => !(theirs ?? []).includes(one));
const labelsOf = (labels: ImageRunConfig["Labels"]): readonly string[] => Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
const each = (flag: string, values: readonly string[] | null | undefined): readonly string[] => (values ?? []).flatMap((value) => [flag, value]);
const one = (flag: string, value: string | undefined, usual?: string): readonly string[] =>
  value === undefined || value === "" || value === usual ? [] : [flag, value];
const on = (flag: string, given: boolean | null | undefined): readonly string[] => (given === true ? [flag] : []);

function processFlags(config: Config, image: ImageRunConfig | undefined): readonly string[] {
  return [
    ...on("-t", config.Tty),
    ...on("-i", config.OpenStdin),
    // Without a name of its own a container is called by its id.
    ...one("--hostname", /^[0-9a-f]{12}$/.test(config.Hostname ?? "") ? "" : config.Hostname),
    ...one("--user", config.User, image?.User ?? ""),
    ...one("--workdir", config.WorkingDir, image?.WorkingDir ?? ""),
    ...each(
      "-e",
      added(config.Env, image?.Env).filter((entry) => image !== undefined || !entry.startsWith("PATH=")),
    ),
    ...each("-l", added(labelsOf(config.Labels), labelsOf(image?.Labels))),
    ...one("--stop-signal", config.StopSignal, image?.StopSignal),
  ];
}

function placeFlags(host: HostConfig): readonly string[] {
  return [
    ...one("--network", host.NetworkMode, host.NetworkMode === "default" ? "default" : "bridge"),
    ...portFlags(host.PortBindings),
    ...on("-P", host.PublishAllPorts),
    ...each("-v", host.Binds),
    ...(host.Mounts ?? []).flatMap(({ Type, Source, Target, ReadOnly }) => [
      "--mount",
      [`type=${Type}`, ...(Source === undefined ? [] : [`source=${Source}`]), `target=${Target}`, ...(ReadOnly === true ? ["readonly"] : [])].join(","),
    ]),
    ...Object.entries(host.Tmpfs ?? {}).flatMap(([path, options]) => ["--tmpfs", options === "" ? path : `${path}:${options}`]),
    ...each("--volumes-from", host.VolumesFrom),
    ...each("--dns", host.Dns),
    ...each("--add-host", host.ExtraHosts),
    ...each("--link", host.Links),
    ...restartFlag(host.RestartPolicy),
    ...on("--rm", host.AutoRemove),
    ...on("--init", host.Init),
    ...on("--privileged", host.Privileged),
    ...on("--read-only", host.ReadonlyRootfs),
    ...each("--cap-add", host.CapAdd),
    ...each("--cap-drop", host.CapDrop),
    ...each("--security-opt", host.SecurityOpt),
    ...each("--group-add", host.GroupAdd),
    ...one("--pid", host.PidMode),
    ...one("--ipc", host.IpcMode, "private"),
    ...Object.entries(host.Sysctls ?? {}).flatMap(([name, value]) => ["--sysctl", `${name}=${value}`]),
    ...(host.Devices ?? []).flatMap(({ PathOnHost, PathInContainer, CgroupPermissions }) => [
      "--device",
      `${PathOnHost}:${PathInContainer}:${CgroupPermissions}`,
    ]),
  ];
}

const portFlags = (bindings: HostConfig["PortBindings"]): readonly string[] =>
  Object.entries(bindings ?? {}).flatMap(([key, places]) => {
    const inside = key.replace(/\/tcp$/, "");
    return (places ?? []).flatMap(({ HostIp, HostPort }) => {
      const address = HostIp.includes(":") ? `[${HostIp}]` : HostIp;
      return ["-p", HostIp === "" && HostPort === "" ? inside : `${HostIp === "" ? "" : `${address}:`}${HostPort}:${inside}`];
    });
  });

function restartFlag(policy: HostConfig["RestartPolicy"]): readonly string[] {
  const { Name = "", MaximumRetryCount = 0 } = policy ?? {};
  if (Name === "" || Name === "no") return [];
  return ["--restart", Name === "on-failure" && MaximumRetryCount > 0 ? `${Name}:${MaximumRetryCount}` : Name];
}

function limitFlags(host: HostConfig): readonly string[] {
  const number = (value: number | null | undefined): string => (value === undefined || value === null || value <= 0 ? "" : String(value));
  return [
    ...one("--memory", number(host.Memory)),
    ...one("--cpus", number((host.NanoCpus ?? 0) / 1e9)),
    ...one("--cpu-shares", number(host.CpuShares)),
    ...one("--cpuset-cpus", host.CpusetCpus),
    ...one("--pids-limit", number(host.PidsLimit)),
    ...one("--shm-size", number(host.ShmSize), String(64 * 1024 * 1024)),
    ...(host.Ulimits ?? []).flatMap(({ Name, Soft, Hard }) => ["--ulimit", `${Name}=${Soft}:${Hard}`]),
  ];
}

/** The same container as a service of a Compose file. */
export function composeService(
  { Name, Config: config, HostConfig: host }: Pick<ContainerInspect, "Name" | "Config" | "HostConfig">,
  image?: ImageRunConfig,
): string {
  const name = Name.replace(/^\//, "");
  const service = config.Labels?.["com.docker.compose.service"] ?? (/^[a-z0-9_-]+$/.test(name) ? name : `service-${shortId(name)}`);
  const { Name: restart = "" } = host.RestartPolicy ?? {};
  const flags = (key: string, values: readonly string[]): readonly string[] =>
    values.length === 0 ? [] : [`    ${key}:`, ...values.map((value) => `      - ${text(value)}`)];
  const line = (key: string, value: string | undefined): readonly string[] => (value === undefined || value === "" ? [] : [`    ${key}: ${text(value)}`]);
  const volumes = host.Binds ?? [];
  const own = volumes.flatMap((bind) => (/^[\w.-]+:/.test(bind) && !/^[A-Za-z]:[\\/]/.test(bind) ? [bind.split(":")[0] ?? ""] : []));
  const network = host.NetworkMode ?? "";
  return [
    "services:",
    `  ${service}:`,
    ...line("image", config.Image),
    ...line("container_name", name),
    ...(differs(config.Entrypoint, image?.Entrypoint) ? flags("entrypoint", config.Entrypoint ?? []) : []),
    ...(differs(config.Cmd, image?.Cmd) ? flags("command", config.Cmd ?? []) : []),
    ...line("user", config.User === (image?.User ?? "") ? "" : config.User),
    ...line("working_dir", config.WorkingDir === (image?.WorkingDir ?? "") ? "" : config.WorkingDir),
    ...flags("environment", added(config.Env, image?.Env)),
    ...flags(
      "ports",
      portFlags(host.PortBindings).filter((word) => word !== "-p"),
    ),
    ...flags("volumes", volumes),
    ...line("network_mode", ["host", "none"].includes(network) ? network : ""),
    ...line("restart", restart === "no" ? "" : restart),
    ...(host.Privileged === true ? ["    privileged: true"] : []),
    ...(host.ReadonlyRootfs === true ? ["    read_only: true"] : []),
    ...flags("cap_add", host.CapAdd ?? []),
    ...flags("cap_drop", host.CapDrop ?? []),
    ...line("mem_limit", (host.Memory ?? 0) > 0 ? String(host.Memory) : ""),
    ...((host.NanoCpus ?? 0) > 0 ? [`    cpus: ${(host.NanoCpus ?? 0) / 1e9}`] : []),
    ...(own.length === 0 ? [] : ["volumes:", ...own.map((volume) => `  ${volume}: {}`)]),
    "",
  ].join("\n");
}

/** A dollar is a variable of Compose's; all else a double-quoted YAML string carries. */
const text = (value: string): string => JSON.stringify(value.replaceAll("$", "$$$$"));
