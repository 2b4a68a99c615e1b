import { EngineError } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import type { SpecMount, SpecRequest } from "#core/specs/builder.ts";
import type { OciMount } from "#core/specs/spec.ts";
import { defaultMounts, shmBytesDefault } from "./defaults.ts";

const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/** The defaults, less those a user mount replaces, then the user's own, parents before children. */
export function containerMounts(request: SpecRequest, opts: { init?: string; writableCgroups: boolean }): OciMount[] {
  const { hostConfig } = request;
  const user = [...networkFiles(request), ...request.mounts.map(userMount), ...tmpfsMounts(hostConfig), ...initMount(opts.init)];
  const taken = new Set(user.map((mount) => mount.destination));
  const base = defaultMounts().filter((mount) => !taken.has(mount.destination) && !(taken.has("/dev") && mount.destination.startsWith("/dev/")));
  const mounts = withIpc(base, request);
  if (hostConfig.ReadonlyRootfs) makeReadonly(mounts);
  if (hostConfig.Privileged) makeWritable(mounts, ["/sys", "/sys/fs/cgroup"]);
  else if (opts.writableCgroups) makeWritable(mounts, ["/sys/fs/cgroup"]);
  if (hostConfig.CgroupnsMode === "host") hostCgroups(mounts);
  return [...mounts, ...user.toSorted((a, b) => depth(a.destination) - depth(b.destination))];
}

function userMount(mount: SpecMount): OciMount {
  if (mount.type === "tmpfs") return tmpfs(mount.destination, [...(mount.options ?? []), ...(mount.readOnly ? ["ro"] : [])]);
  if (mount.propagation !== undefined && mount.propagation !== "" && !propagations.includes(mount.propagation)) {
    throw new EngineError("invalidArgument", `invalid propagation mode: ${mount.propagation}`);
  }
  const options = [mount.nonRecursive ? "bind" : "rbind", ...readOnlyOptions(mount), mount.propagation || "rprivate"];
  return { destination: mount.destination, type: "bind", source: mount.source ?? "", options };
}

/** Down to what is mounted below, unless the request says otherwise. */
function readOnlyOptions({ readOnly, nonRecursive, readOnlyNonRecursive }: SpecMount): string[] {
  if (!readOnly) return [];
  return nonRecursive || readOnlyNonRecursive ? ["ro"] : ["ro", "rro"];
}

function networkFiles({ files, mounts, hostConfig }: SpecRequest): OciMount[] {
  if (!files) return [];
  const taken = new Set(mounts.map((mount) => mount.destination));
  const options = ["rbind", ...(hostConfig.ReadonlyRootfs ? ["ro"] : []), "rprivate"];
  return [
    ["/etc/resolv.conf", files.resolvConf],
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
  ]
    .filter(([destination = ""]) => !taken.has(destination))
    .map(([destination = "", source = ""]) => ({ destination, type: "bind", source, options }));
}

const tmpfsMounts = (host: HostConfig): OciMount[] =>
  Object.entries(host.Tmpfs ?? {}).map(([destination, options]) =>
    tmpfs(
      destination,
      options.split(",").filter((option) => option !== ""),
    ),
  );

/** Flags with their opposites: a later one of a pair wins over Docker's noexec,nosuid,nodev. */
const opposite: Readonly<Record<string, string>> = {
  exec: "noexec",
  noexec: "exec",
  suid: "nosuid",
  nosuid: "suid",
  dev: "nodev",
  nodev: "dev",
  ro: "rw",
  rw: "ro",
  atime: "noatime",
  noatime: "atime",
  diratime: "nodiratime",
  nodiratime: "diratime",
  relatime: "norelatime",
  norelatime: "relatime",
  strictatime: "nostrictatime",
  nostrictatime: "strictatime",
  sync: "async",
  async: "sync",
};
const tmpfsData = /^(?:size|mode|uid|gid|nr_inodes|nr_blocks|mpol|huge)=/;

function tmpfs(destination: string, given: readonly string[]): OciMount {
  const flags = new Set(["noexec", "nosuid", "nodev"]);
  const data = new Map<string, string>();
  for (const option of given) {
    const contrary = opposite[option];
    if (contrary !== undefined) {
      flags.delete(contrary);
      flags.add(option);
    } else if (propagations.includes(option)) flags.add(option);
    else if (tmpfsData.test(option)) data.set(option.slice(0, option.indexOf("=")), option);
    else throw new EngineError("invalidArgument", `invalid tmpfs option ${JSON.stringify(option)}`);
  }
  return { destination, type: "tmpfs", source: "tmpfs", options: [...flags, ...data.values()] };
}

/** Checks `--tmpfs` options at create. */
export function validateTmpfs(host: HostConfig): void {
  tmpfsMounts(host);
}

const initMount = (init: string | undefined): OciMount[] =>
  init === undefined ? [] : [{ destination: "/sbin/docker-init", type: "bind", source: init, options: ["bind", "ro"] }];

/** /dev/shm by IPC mode: own, the host's, another container's, or none. */
function withIpc(mounts: OciMount[], request: SpecRequest): OciMount[] {
  const mode = request.hostConfig.IpcMode ?? "";
  if (mode === "none") return mounts.filter((mount) => mount.destination !== "/dev/shm");
  const foreign = mode === "host" ? "/dev/shm" : request.shm;
  return mounts.map((mount) => {
    if (mount.destination !== "/dev/shm") return mount;
    if (foreign) return { destination: "/dev/shm", type: "bind", source: foreign, options: ["rbind", "rprivate", "nosuid", "noexec", "nodev"] };
    return { ...mount, options: [...(mount.options ?? []), `size=${request.hostConfig.ShmSize || shmBytesDefault}`] };
  });
}

/** A read-only root makes the default mounts read-only too, but for those that programs cannot do without. */
function makeReadonly(mounts: OciMount[]): void {
  const writable = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"];
  for (const mount of mounts) if (!writable.includes(mount.destination)) mount.options = [...new Set([...(mount.options ?? []), "ro"])];
}

function makeWritable(mounts: OciMount[], destinations: readonly string[]): void {
  for (const mount of mounts) {
    if (!destinations.includes(mount.destination)) continue;
    mount.options = [...(mount.options ?? []).filter((option) => option !== "ro"), "rw"];
  }
}

/** Without a cgroup namespace of its own the container sees the whole hierarchy. */
function hostCgroups(mounts: OciMount[]): void {
  for (const mount of mounts) if (mount.destination === "/sys/fs/cgroup") mount.options = [...(mount.options ?? []), "rprivate"];
}

const depth = (path: string): number => path.split("/").filter((part) => part !== "").length;
