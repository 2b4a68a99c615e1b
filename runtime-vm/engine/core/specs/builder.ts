import type { ContainerConfig, HostConfig } from "#api/containers.ts";
import type { ExecCreateRequest } from "#api/exec.ts";
import type { OciProcess, OciSpec } from "./spec.ts";

/** One file system a container asked for, its source already resolved to a directory or file of this machine. */
export interface SpecMount {
  readonly type: "bind" | "tmpfs";
  /** Absolute path; absent for tmpfs. */
  readonly source?: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** `rprivate` (the default), `private`, `shared`, `rshared`, `slave`, `rslave`; binds only. */
  readonly propagation?: string;
  /** Binds only: do not take submounts along. */
  readonly nonRecursive?: boolean;
  /** Binds only: what is mounted below stays writable although the mount itself is read-only. */
  readonly readOnlyNonRecursive?: boolean;
  /** tmpfs only: `size=64m`, `mode=1770`, `exec` ... as in `--tmpfs PATH:OPTIONS`. */
  readonly options?: readonly string[];
}

export interface SpecRequest {
  readonly id: string;
  /** Mounted root directory: users are looked up in its /etc, inside it only. */
  readonly rootfs: string;
  /** Already merged with the image's configuration (`mergeImageConfig`). */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly hostname: string;
  /** nsfs file of the network sandbox; absent in host mode. */
  readonly netns?: string;
  /** Pinned file of the user namespace to be in; absent: the machine's own. */
  readonly userns?: string;
  /** Files of this machine bound over /etc/hosts, /etc/hostname and /etc/resolv.conf. */
  readonly files?: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string };
  /** Volumes, binds and `--mount`s in the order of the request; `HostConfig.Tmpfs` is added by the builder itself. */
  readonly mounts: readonly SpecMount[];
  /** Directory of this machine bound at /dev/shm instead of one of the container's own. */
  readonly shm?: string;
  /** Variables that links to other containers bring; the container's own win. */
  readonly linkEnv?: readonly string[];
  /** PIDs of the containers whose namespaces are joined (`--pid container:x`, `--ipc container:x`). */
  readonly join?: { readonly pid?: number; readonly ipc?: number };
}

export interface BuiltSpec {
  readonly spec: OciSpec;
  /** Limits that were asked for and that this kernel cannot give, as dockerd words them. */
  readonly warnings: readonly string[];
}

/** What `--device VENDOR/CLASS=NAME` can name on this machine. */
export interface DevicesByName {
  readonly ids: readonly string[];
  /** Specifications that count for nothing, and why. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
}

/** Turns Docker's words for a container into the runtime's. Everything a user may get wrong is invalidArgument, in dockerd's words. */
export interface SpecBuilder {
  build(request: SpecRequest): BuiltSpec;
  /** Checks what can be checked without a root directory (capabilities, limits, devices, sysctls), for `POST /containers/create`; limits that cannot be given are gone from the answer's `host`. */
  validate(config: ContainerConfig, hostConfig: HostConfig): { readonly warnings: readonly string[]; readonly host: HostConfig };
  /** Checks limits that a container is to have from now on, as `validate` does. */
  settle(hostConfig: HostConfig): { readonly warnings: readonly string[]; readonly host: HostConfig };
  /** The AppArmor profile it runs under; of one that never started, what it asks for. Empty: none. */
  apparmorProfile(hostConfig: HostConfig, started: boolean): string;
  /** Files of a container's cgroup and what limits that were settled are in them, in the order to write them. */
  limitFiles(hostConfig: HostConfig): ReadonlyMap<string, string>;
  /** Read anew each time. */
  devicesByName(): DevicesByName;
  /** The process of `docker exec`: user, environment and directory default to those of the container. */
  execProcess(what: { rootfs: string; config: ContainerConfig; hostConfig: HostConfig; exec: ExecCreateRequest }): OciProcess;
}
