import type { ContainerCreateRequest, HostConfig, RestartPolicy } from "#api/containers.ts";
import type { PortBinding } from "#api/networks.ts";
import { splitCommand } from "./shellwords.ts";

/** The run form as typed: everything is text until it is sent. */
export interface RunForm {
  readonly image: string;
  readonly name: string;
  readonly command: string;
  readonly ports: readonly PortRow[];
  readonly env: readonly EnvRow[];
  readonly volumes: readonly VolumeRow[];
  /** MiB; empty: no limit. */
  readonly memory: string;
  /** CPUs, `0.5`; empty: no limit. */
  readonly cpus: string;
  readonly restart: NonNullable<RestartPolicy["Name"]>;
  /** Words as a shell splits them; empty: the image's own. */
  readonly entrypoint: string;
  readonly workdir: string;
  readonly user: string;
  readonly hostname: string;
  readonly labels: readonly EnvRow[];
  readonly tty: boolean;
  readonly init: boolean;
  readonly autoRemove: boolean;
  readonly pidsLimit: string;
  /** A network's name, `host`, `none`; empty: the default bridge. */
  readonly network: string;
  /** Blank-separated, as the next four. */
  readonly aliases: string;
  readonly dns: string;
  readonly extraHosts: string;
  readonly capAdd: string;
  readonly capDrop: string;
  readonly privileged: boolean;
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
}
export interface PortRow {
  readonly host: string;
  readonly container: string;
  readonly protocol: "tcp" | "udp";
}
export interface EnvRow {
  readonly name: string;
  readonly value: string;
}
export interface VolumeRow {
  /** A volume's name, or an absolute path of the host. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export const emptyRunForm: RunForm = {
  ...{ image: "", name: "", command: "", ports: [], env: [], volumes: [], memory: "", cpus: "", restart: "no" },
  ...{ entrypoint: "", workdir: "", user: "", hostname: "", labels: [], tty: false, init: false, autoRemove: false, pidsLimit: "" },
  ...{ network: "", aliases: "", dns: "", extraHosts: "" },
  ...{ capAdd: "", capDrop: "", privileged: false, readOnlyRoot: false, noNewPrivileges: false },
};

/** Field -> what is wrong with it. Rows are named `ports.0.host`. */
export type FormErrors = Readonly<Record<string, FormError>>;
export type FormError =
  | "imageMissing"
  | "imageInvalid"
  | "nameInvalid"
  | "commandQuote"
  | "workdirAbsolute"
  | "hostnameInvalid"
  | "pidsInvalid"
  | "hostsInvalid"
  | "dnsInvalid"
  | "aliasNetwork"
  | "restartRemove"
  | "nameTaken"
  | "portInvalid"
  | "portTwice"
  | "envName"
  | "sourceMissing"
  | "targetAbsolute"
  | "targetTwice"
  | "memoryInvalid"
  | "memoryMinimum"
  | "cpusInvalid";

const memoryMiBMin = 6; // Docker refuses less
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const imagePattern = /^[a-z0-9][a-zA-Z0-9._\-/:@]*$/;

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
const isBlankPort = (row: PortRow): boolean => row.host.trim() === "" && row.container.trim() === "";
const isBlankVolume = (row: VolumeRow): boolean => row.source.trim() === "" && row.target.trim() === "";

/** Checks what can be known without the engine. Empty rows are not mistakes: they are left out. */
export function validate(form: RunForm): FormErrors {
  const errors: Record<string, FormError> = {};
  const image = form.image.trim();
  if (image === "") errors["image"] = "imageMissing";
  else if (!imagePattern.test(image)) errors["image"] = "imageInvalid";
  if (form.name.trim() !== "" && !namePattern.test(form.name.trim())) errors["name"] = "nameInvalid";
  if (splitCommand(form.command) === undefined) errors["command"] = "commandQuote";
  checkMore(form, errors);
  checkPorts(form.ports, errors);
  form.env.forEach((row, i) => {
    if (row.name.trim() === "" && row.value !== "") errors[`env.${i}.name`] = "envName";
    if (row.name.includes("=")) errors[`env.${i}.name`] = "envName";
  });
  checkVolumes(form.volumes, errors);
  checkLimits(form, errors);
  return errors;
}

function checkMore(form: RunForm, errors: Record<string, FormError>): void {
  if (splitCommand(form.entrypoint) === undefined) errors["entrypoint"] = "commandQuote";
  if (form.workdir.trim() !== "" && !form.workdir.trim().startsWith("/")) errors["workdir"] = "workdirAbsolute";
  if (form.hostname.trim() !== "" && !/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/.test(form.hostname.trim())) errors["hostname"] = "hostnameInvalid";
  if (form.pidsLimit.trim() !== "" && !/^[1-9]\d{0,8}$/.test(form.pidsLimit.trim())) errors["pidsLimit"] = "pidsInvalid";
  if (wordsOf(form.extraHosts).some((word) => !/^[^:=\s]+[:=]\S+$/.test(word))) errors["extraHosts"] = "hostsInvalid";
  if (wordsOf(form.dns).some((word) => !/^[0-9a-fA-F.:]+$/.test(word))) errors["dns"] = "dnsInvalid";
  if (wordsOf(form.aliases).length > 0 && isPlainNetwork(form.network)) errors["aliases"] = "aliasNetwork";
  if (form.autoRemove && form.restart !== "no" && form.restart !== "") errors["autoRemove"] = "restartRemove";
  form.labels.forEach((row, i) => {
    if (row.name.trim() === "" && row.value !== "") errors[`labels.${i}.name`] = "envName";
  });
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
/** Networks in which names mean nothing. */
const isPlainNetwork = (network: string): boolean => /^(?:|default|bridge|host|none|container:.*)$/.test(network.trim());

function checkPorts(rows: readonly PortRow[], errors: Record<string, FormError>): void {
  const seen = new Set<string>();
  rows.forEach((row, i) => {
    if (isBlankPort(row)) return;
    if (!isPort(row.container.trim())) errors[`ports.${i}.container`] = "portInvalid";
    const host = row.host.trim();
    if (host === "") return; // the engine chooses one
    if (!isPort(host)) errors[`ports.${i}.host`] = "portInvalid";
    else if (seen.has(`${host}/${row.protocol}`)) errors[`ports.${i}.host`] = "portTwice";
    seen.add(`${host}/${row.protocol}`);
  });
}

function checkVolumes(rows: readonly VolumeRow[], errors: Record<string, FormError>): void {
  const seen = new Set<string>();
  rows.forEach((row, i) => {
    if (isBlankVolume(row)) return;
    const target = row.target.trim();
    if (row.source.trim() === "") errors[`volumes.${i}.source`] = "sourceMissing";
    if (!target.startsWith("/")) errors[`volumes.${i}.target`] = "targetAbsolute";
    else if (seen.has(target)) errors[`volumes.${i}.target`] = "targetTwice";
    seen.add(target);
  });
}

function checkLimits(form: RunForm, errors: Record<string, FormError>): void {
  const memory = form.memory.trim();
  if (memory !== "") {
    if (!/^\d+$/.test(memory)) errors["memory"] = "memoryInvalid";
    else if (Number(memory) < memoryMiBMin) errors["memory"] = "memoryMinimum";
  }
  const cpus = form.cpus.trim();
  if (cpus !== "" && !(/^\d*\.?\d+$/.test(cpus) && Number(cpus) >= 0.01)) errors["cpus"] = "cpusInvalid";
}

/** The form as `docker run` would send it. Call `validate` first. */
export function createRequest(form: RunForm): ContainerCreateRequest {
  const ports = form.ports.filter((row) => !isBlankPort(row));
  const bindings: Record<string, PortBinding[]> = {};
  for (const row of ports) (bindings[portKey(row)] ??= []).push({ HostIp: "", HostPort: row.host.trim() });
  const command = splitCommand(form.command) ?? [];
  const env = form.env.filter((row) => row.name.trim() !== "").map((row) => `${row.name.trim()}=${row.value}`);
  return {
    Image: form.image.trim(),
    ...(command.length > 0 && { Cmd: command }),
    ...(env.length > 0 && { Env: env }),
    ...processOf(form),
    ...(ports.length > 0 && { ExposedPorts: Object.fromEntries(ports.map((row) => [portKey(row), {}])) }),
    HostConfig: {
      ...(ports.length > 0 && { PortBindings: bindings }),
      ...bindsOf(form.volumes),
      ...(form.memory.trim() !== "" && { Memory: Number(form.memory) * 1024 * 1024 }),
      ...(form.cpus.trim() !== "" && { NanoCpus: Math.round(Number(form.cpus) * 1e9) }),
      RestartPolicy: { Name: form.restart },
      ...placeOf(form),
    },
    ...endpointOf(form),
  };
}

function processOf(form: RunForm): Partial<ContainerCreateRequest> {
  const entrypoint = splitCommand(form.entrypoint) ?? [];
  const labels = form.labels.filter((row) => row.name.trim() !== "").map((row) => [row.name.trim(), row.value] as const);
  return {
    ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
    ...(form.workdir.trim() !== "" && { WorkingDir: form.workdir.trim() }),
    ...(form.user.trim() !== "" && { User: form.user.trim() }),
    ...(form.hostname.trim() !== "" && { Hostname: form.hostname.trim() }),
    ...(labels.length > 0 && { Labels: Object.fromEntries(labels) }),
    ...(form.tty && { Tty: true, OpenStdin: true }),
  };
}

function placeOf(form: RunForm): HostConfig {
  const listed = (key: "Dns" | "ExtraHosts" | "CapAdd" | "CapDrop", text: string): HostConfig => (wordsOf(text).length > 0 ? { [key]: wordsOf(text) } : {});
  return {
    ...(form.network.trim() !== "" && { NetworkMode: form.network.trim() }),
    ...listed("Dns", form.dns),
    ...listed("ExtraHosts", form.extraHosts),
    ...listed("CapAdd", form.capAdd),
    ...listed("CapDrop", form.capDrop),
    ...(form.init && { Init: true }),
    ...(form.autoRemove && { AutoRemove: true }),
    ...(form.pidsLimit.trim() !== "" && { PidsLimit: Number(form.pidsLimit) }),
    ...(form.privileged && { Privileged: true }),
    ...(form.readOnlyRoot && { ReadonlyRootfs: true }),
    ...(form.noNewPrivileges && { SecurityOpt: ["no-new-privileges"] }),
  };
}

function endpointOf(form: RunForm): Partial<ContainerCreateRequest> {
  const aliases = wordsOf(form.aliases);
  return aliases.length > 0 ? { NetworkingConfig: { EndpointsConfig: { [form.network.trim()]: { Aliases: aliases } } } } : {};
}

const portKey = (row: PortRow): string => `${row.container.trim()}/${row.protocol}`;

function bindsOf(rows: readonly VolumeRow[]): { Binds?: string[] } {
  const binds = rows.filter((row) => !isBlankVolume(row)).map((row) => `${row.source.trim()}:${row.target.trim()}${row.readOnly ? ":ro" : ""}`);
  return binds.length > 0 ? { Binds: binds } : {};
}
