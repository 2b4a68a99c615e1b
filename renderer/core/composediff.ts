import type { ContainerInspect } from "#api/containers.ts";
import type { ImageRunConfig } from "#api/oci.ts";

/** What differs between a service and a container of it, named as in the compose file. */
export interface Difference {
  readonly field: string;
  /** "" where there is nothing. */
  readonly from: string;
  readonly to: string;
}

/** A service as `docker compose config --format json` tells it; what is read here of it. */
export interface ServiceModel {
  readonly image?: string;
  readonly container_name?: string;
  readonly scale?: number;
  readonly deploy?: { readonly replicas?: number };
  readonly command?: readonly string[] | null;
  readonly entrypoint?: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly target: number; readonly published?: string; readonly protocol?: string; readonly host_ip?: string }[];
  readonly volumes?: readonly { readonly type: string; readonly source?: string; readonly target: string; readonly read_only?: boolean }[];
  readonly restart?: string;
  readonly user?: string;
  readonly working_dir?: string;
  readonly hostname?: string;
  readonly privileged?: boolean;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly tty?: boolean;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly network_mode?: string;
}

type Volumes = Readonly<Record<string, { readonly name?: string }>>;

/** Field by field; only what a compose file says, or has ceased to say, in words of its own. */
export function serviceDifferences(
  service: ServiceModel,
  { Config, HostConfig, Mounts }: ContainerInspect,
  image: ImageRunConfig,
  volumes: Volumes,
): readonly Difference[] {
  const single = (field: string, from: unknown, to: unknown): Difference[] => {
    const [before, after] = [shown(from), shown(to)];
    return before === after ? [] : [{ field, from: before, to: after }];
  };
  const restart = HostConfig.RestartPolicy;
  const policy = restart?.Name === "on-failure" && (restart.MaximumRetryCount ?? 0) > 0 ? `on-failure:${restart.MaximumRetryCount}` : restart?.Name;
  return [
    ...(service.image === undefined ? [] : single("image", Config.Image, service.image)),
    ...single("entrypoint", Config.Entrypoint ?? [], service.entrypoint ?? image.Entrypoint ?? []),
    ...single("command", Config.Cmd ?? [], service.command ?? (service.entrypoint == null ? image.Cmd : undefined) ?? []),
    ...keyed("environment", pairs(Config.Env), wantedPairs(service.environment), pairs(image.Env)),
    ...keyed("labels", ownLabels(Config.Labels), service.labels ?? {}, image.Labels ?? {}),
    ...lists(
      "ports",
      portsOf(HostConfig),
      (service.ports ?? []).map((port) => `${port.host_ip ? `${port.host_ip}:` : ""}${port.published ?? ""}:${port.target}/${port.protocol ?? "tcp"}`),
    ),
    ...lists(
      "volumes",
      mountsOf(Mounts, image),
      (service.volumes ?? []).map(
        ({ source, target, type, read_only }) =>
          `${type === "volume" && source !== undefined ? (volumes[source]?.name ?? source) : (source ?? "")}:${target}${read_only === true ? ":ro" : ""}`,
      ),
    ),
    ...single("restart", policy || "no", service.restart ?? "no"),
    ...single("user", Config.User || "", service.user ?? image.User ?? ""),
    ...single("working_dir", Config.WorkingDir || "", service.working_dir ?? image.WorkingDir ?? ""),
    ...(service.hostname === undefined ? [] : single("hostname", Config.Hostname, service.hostname)),
    ...single("privileged", HostConfig.Privileged ?? false, service.privileged ?? false),
    ...single("read_only", HostConfig.ReadonlyRootfs ?? false, service.read_only ?? false),
    ...(service.init === undefined ? [] : single("init", HostConfig.Init ?? false, service.init)),
    ...single("tty", Config.Tty ?? false, service.tty ?? false),
    ...lists("cap_add", HostConfig.CapAdd ?? [], service.cap_add ?? []),
    ...lists("cap_drop", HostConfig.CapDrop ?? [], service.cap_drop ?? []),
    ...single("mem_limit", HostConfig.Memory ?? 0, Number(service.mem_limit ?? 0)),
    ...single("cpus", (HostConfig.NanoCpus ?? 0) / 1e9, service.cpus ?? 0),
    ...(service.network_mode === undefined ? [] : single("network_mode", HostConfig.NetworkMode, service.network_mode)),
  ];
}

const shown = (value: unknown): string =>
  value === undefined || value === null ? "" : Array.isArray(value) ? value.join(" ") : typeof value === "string" ? value : JSON.stringify(value);

function keyed(
  field: string,
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
  image: Readonly<Record<string, string>>,
): Difference[] {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].flatMap((name) => {
    const [before, after] = [from[name], to[name] ?? image[name]];
    return before === after ? [] : [{ field: `${field}.${name}`, from: before ?? "", to: after ?? "" }];
  });
}

function lists(field: string, from: readonly string[], to: readonly string[]): Difference[] {
  const [gone, come] = [from.filter((one) => !to.includes(one)), to.filter((one) => !from.includes(one))];
  return gone.length + come.length === 0 ? [] : [{ field, from: gone.join(", "), to: come.join(", ") }];
}

const pairs = (words: readonly string[] | null | undefined): Record<string, string> =>
  Object.fromEntries((words ?? []).map((word) => [word.split("=")[0] ?? "", word.slice(word.indexOf("=") + 1)]));

const wantedPairs = (environment: ServiceModel["environment"]): Record<string, string> =>
  Object.fromEntries(Object.entries(environment ?? {}).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));

const ownLabels = (labels: Readonly<Record<string, string>> | null | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => !name.startsWith("com.docker.compose.")));

const portsOf = ({ PortBindings }: ContainerInspect["HostConfig"]): readonly string[] =>
  Object.entries(PortBindings ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp ? `${HostIp}:` : ""}${HostPort === "0" ? "" : (HostPort ?? "")}:${port}`),
  );

/** Without the unnamed volumes that the image asks for. */
const mountsOf = (mounts: ContainerInspect["Mounts"], image: ImageRunConfig): readonly string[] =>
  mounts.flatMap(({ Type, Name, Source, Destination, RW }) => {
    const unnamed = Type === "volume" && /^[0-9a-f]{64}$/.test(Name ?? "");
    if (unnamed && Destination in (image.Volumes ?? {})) return [];
    const source = Type === "volume" ? (unnamed ? "" : (Name ?? "")) : Type === "tmpfs" ? "" : Source;
    return [`${source}:${Destination}${RW ? "" : ":ro"}`];
  });
