import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerConfig, HostConfig } from "#api/containers.ts";
import type { SpecBuilder, SpecRequest } from "#core/specs/builder.ts";
import { specJson } from "#core/specs/json.ts";
import type { OciMount, OciSpec } from "#core/specs/spec.ts";
import { createDockerSpecs } from "./builder.ts";

/** An engine that may open 4096 files. Paths are resolved plainly: these roots hold no links. */
const kernel = {
  openInRoot: (root: string, path: string, flags: number) => openSync(join(root, path), flags),
  hardLimit: (name: string) => (name === "nofile" ? 4096 : Number.POSITIVE_INFINITY),
};

let dir: string;
let specs: SpecBuilder;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-specs-"));
  mkdirSync(join(dir, "root/etc"), { recursive: true });
  writeFileSync(join(dir, "root/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
  writeFileSync(join(dir, "seccomp.json"), '{"defaultAction":"SCMP_ACT_ERRNO","archMap":null,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}');
  mkdirSync(join(dir, "cgroup"));
  writeFileSync(join(dir, "cgroup/cgroup.controllers"), "cpuset cpu io memory pids\n");
  specs = createDockerSpecs({
    kernel,
    seccompProfile: join(dir, "seccomp.json"),
    cgroupRoot: join(dir, "cgroup"),
    initBinary: "/usr/bin/tini",
  });
});
afterAll(() => rmSync(dir, { recursive: true }));

function build(hostConfig: HostConfig = {}, config: Partial<ContainerConfig> = {}, more: Partial<SpecRequest> = {}): OciSpec {
  const request = { id: "c1", rootfs: join(dir, "root"), hostname: "box", netns: "/run/netns/c1", mounts: [], ...more };
  return specs.build({ ...request, hostConfig, config: { Image: "x", Cmd: ["true"], ...config } }).spec;
}
const mountAt = (spec: OciSpec, destination: string): OciMount | undefined => spec.mounts.find((mount) => mount.destination === destination);
const linux = (spec: OciSpec): Record<string, unknown> => spec.linux;

test("a plain container has Docker's defaults", () => {
  const spec = build();
  expect(spec.process).toMatchObject({
    args: ["true"],
    cwd: "/",
    user: { uid: 0, gid: 0, additionalGids: [0] },
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "HOME=/root"],
    noNewPrivileges: false,
    oomScoreAdj: 0,
  });
  expect(spec.process.capabilities?.bounding).toHaveLength(14);
  expect(spec.process.capabilities?.inheritable).toEqual([]);
  expect(spec.mounts.map((mount) => mount.destination)).toEqual(["/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm"]);
  expect(mountAt(spec, "/dev/shm")?.options).toContain("size=67108864");
  expect(spec.linux.namespaces).toEqual([
    { type: "mount" },
    { type: "network", path: "/run/netns/c1" },
    ...["uts", "pid", "ipc", "cgroup"].map((type) => ({ type })),
  ]);
  expect(spec.linux.cgroupsPath).toBe("/slipway/c1");
  expect(linux(spec)["maskedPaths"]).toContain("/proc/kcore");
  expect(linux(spec)["readonlyPaths"]).toEqual(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]);
  expect(linux(spec)["sysctl"]).toEqual({ "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" });
  expect(linux(spec)["seccomp"]).toMatchObject({ defaultAction: "SCMP_ACT_ERRNO" });
});

test("another user has no effective capabilities, its own home, and the same bound", () => {
  const { process } = build({}, { User: "app" });
  expect(process.user).toEqual({ uid: 1000, gid: 1000, additionalGids: [1000] });
  expect(process.env).toContain("HOME=/home/app");
  expect(process.capabilities).toMatchObject({ effective: [], permitted: [] });
  expect(process.capabilities?.bounding).toHaveLength(14);
});

test("the environment overrides Docker's in place; a bare name removes; HOME given is kept", () => {
  expect(build({}, { Env: ["A=1", "PATH=/bin", "HOSTNAME", "HOME=/x", "A=2"], Tty: true }).process.env).toEqual(["PATH=/bin", "TERM=xterm", "A=2", "HOME=/x"]);
});

test.for<[HostConfig, number | string[]]>([
  [{ CapDrop: ["ALL"] }, []],
  [{ CapDrop: ["all"], CapAdd: ["net_admin", "CAP_SYS_TIME"] }, ["CAP_NET_ADMIN", "CAP_SYS_TIME"]],
  [{ CapDrop: ["MKNOD"] }, 13],
  [{ CapAdd: ["NET_ADMIN", "CHOWN"] }, 15],
])("capabilities of %o", ([host, expected]) => {
  const { bounding } = build(host).process.capabilities ?? { bounding: [] };
  expect(typeof expected === "number" ? bounding.length : bounding).toEqual(expected);
});

test("privileged: everything the engine has, all devices, writable /sys, nothing masked, no seccomp", () => {
  const spec = build({ Privileged: true });
  expect(spec.process.capabilities?.bounding).toContain("CAP_SYS_ADMIN");
  expect(linux(spec)["maskedPaths"]).toEqual([]);
  expect(linux(spec)["readonlyPaths"]).toEqual([]);
  expect(linux(spec)["seccomp"]).toBeUndefined();
  expect(mountAt(spec, "/sys")?.options).not.toContain("ro");
  expect(mountAt(spec, "/sys/fs/cgroup")?.options).not.toContain("ro");
  expect((linux(spec)["resources"] as { devices: unknown[] }).devices).toEqual([{ allow: true, access: "rwm" }]);
  expect((linux(spec)["devices"] as { path: string }[]).map((device) => device.path)).toContain("/dev/null");
});

test("a mount of the user replaces the default one, and /dev everything below it", () => {
  const bind = (destination: string) => ({ type: "bind" as const, source: "/src", destination, readOnly: false });
  expect(build({}, {}, { mounts: [bind("/dev/shm")] }).mounts.filter((mount) => mount.destination === "/dev/shm")).toEqual([
    { destination: "/dev/shm", type: "bind", source: "/src", options: ["rbind", "rprivate"] },
  ]);
  expect(build({}, {}, { mounts: [bind("/dev")] }).mounts.map((mount) => mount.destination)).toEqual(["/proc", "/sys", "/sys/fs/cgroup", "/dev"]);
});

test("the root is as open to later mounts as the most open of its mounts", () => {
  const bind = (propagation: string) => ({ type: "bind" as const, source: "/src", destination: `/${propagation}`, readOnly: false, propagation });
  const rootOf = (...propagations: string[]) => linux(build({}, {}, { mounts: propagations.map(bind) }))["rootfsPropagation"];
  expect(rootOf("rprivate", "")).toBeUndefined();
  expect(rootOf("slave", "private")).toBe("rslave");
  expect(rootOf("rslave", "rshared")).toBe("shared");
});

test("user mounts come parents first, in the order given", () => {
  const bind = (destination: string) => ({ type: "bind" as const, source: "/src", destination, readOnly: true });
  const spec = build({}, {}, { mounts: [bind("/a/b/c"), bind("/z"), bind("/a")], files: { hosts: "/h", hostname: "/n", resolvConf: "/r" } });
  expect(spec.mounts.slice(7).map((mount) => mount.destination)).toEqual(["/z", "/a", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/a/b/c"]);
  expect(mountAt(spec, "/a")?.options).toEqual(["rbind", "ro", "rro", "rprivate"]);
});

test.for([
  ["", ["noexec", "nosuid", "nodev"]],
  ["size=64m,mode=1770", ["noexec", "nosuid", "nodev", "size=64m", "mode=1770"]],
  ["exec,suid,size=1k,size=2k", ["nodev", "exec", "suid", "size=2k"]],
] as const)("--tmpfs /t:%s", ([given, options]) => {
  expect(mountAt(build({ Tmpfs: { "/t": given } }), "/t")).toEqual({ destination: "/t", type: "tmpfs", source: "tmpfs", options });
});

test("a read-only root leaves /dev, /proc and shared memory writable", () => {
  const spec = build({ ReadonlyRootfs: true, Tmpfs: { "/run": "" } }, {}, { files: { hosts: "/h", hostname: "/n", resolvConf: "/r" } });
  expect(spec.root.readonly).toBe(true);
  expect(spec.mounts.filter((mount) => mount.options?.includes("ro")).map((mount) => mount.destination)).toEqual([
    "/sys",
    "/sys/fs/cgroup",
    "/etc/resolv.conf",
    "/etc/hostname",
    "/etc/hosts",
  ]);
});

test("--init puts the init binary before the command, unless the process namespace is another's", () => {
  const spec = build({ Init: true }, { Entrypoint: ["sh", "-c"], Cmd: ["x"] });
  expect(spec.process.args).toEqual(["/sbin/docker-init", "--", "sh", "-c", "x"]);
  expect(mountAt(spec, "/sbin/docker-init")).toMatchObject({ source: "/usr/bin/tini", options: ["bind", "ro"] });
  expect(build({ Init: true, PidMode: "host" }).process.args).toEqual(["true"]);
});

test.for<[HostConfig, string[]]>([
  [{ NetworkMode: "host" }, ["mount", "uts", "pid", "ipc", "cgroup"]],
  [{ NetworkMode: "host", UTSMode: "host", PidMode: "host", IpcMode: "host", CgroupnsMode: "host" }, ["mount"]],
])("host modes %o", ([host, types]) => {
  const spec = specs.build({ id: "c1", rootfs: join(dir, "root"), hostname: "box", mounts: [], hostConfig: host, config: { Image: "x", Cmd: ["true"] } }).spec;
  expect(spec.linux.namespaces.map((namespace) => namespace.type)).toEqual(types);
  expect(linux(spec)["sysctl"]).toEqual({});
  expect(spec.hostname).toBe(host.UTSMode === "host" ? undefined : "box");
});

test("another container's namespaces are joined by its process", () => {
  const spec = build({ PidMode: "container:x", IpcMode: "container:x" }, {}, { join: { pid: 42, ipc: 42 }, shm: "/of/the/other/shm" });
  expect(spec.linux.namespaces).toContainEqual({ type: "pid", path: "/proc/42/ns/pid" });
  expect(spec.linux.namespaces).toContainEqual({ type: "ipc", path: "/proc/42/ns/ipc" });
  expect(mountAt(spec, "/dev/shm")?.source).toBe("/of/the/other/shm");
});

test("ulimits stay at or below the engine's own, and unlimited is written as the kernel's number", () => {
  const spec = build({
    Ulimits: [
      { Name: "nofile", Soft: 100, Hard: 200 },
      { Name: "fsize", Soft: -1, Hard: -1 },
    ],
  });
  expect(spec.process.rlimits).toContainEqual({ type: "RLIMIT_NOFILE", soft: 100, hard: 200 });
  const text = specJson(spec.process.rlimits);
  expect(text).toContain('{"type":"RLIMIT_FSIZE","hard":18446744073709551615,"soft":18446744073709551615}');
  expect(build().process.rlimits).toContainEqual({ type: "RLIMIT_NOFILE", soft: 4096, hard: 4096 });
  expect(build({ Ulimits: [{ Name: "nofile", Soft: 8000, Hard: -1 }] }).process.rlimits).toContainEqual({ type: "RLIMIT_NOFILE", soft: 4096, hard: 4096 });
});

test("an exec is the container's user, directory and environment unless it says otherwise", () => {
  const config = { Image: "x", User: "app", WorkingDir: "/srv", Env: ["A=1"], Hostname: "box" };
  const what = { rootfs: join(dir, "root"), config, hostConfig: {} };
  expect(specs.execProcess({ ...what, exec: { Cmd: ["ls"] } })).toMatchObject({ args: ["ls"], cwd: "/srv", user: { uid: 1000 }, terminal: false });
  const own = specs.execProcess({ ...what, exec: { Cmd: ["ls"], User: "0", WorkingDir: "/", Env: ["A=2"], Tty: true, Privileged: true } });
  expect(own).toMatchObject({ cwd: "/", user: { uid: 0 }, terminal: true });
  expect(own.env).toEqual(expect.arrayContaining(["A=2", "TERM=xterm", "HOME=/root"]));
  expect(own.capabilities?.effective).toContain("CAP_SYS_ADMIN");
  expect(() => specs.execProcess({ ...what, exec: { Cmd: [] } })).toThrow("No exec command specified");
});

test.for<[HostConfig, Partial<ContainerConfig>, string]>([
  [{ CapAdd: ["FOO"] }, {}, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
  [{ CapDrop: ["bar"] }, {}, 'invalid CapDrop: unknown capability: "CAP_BAR"'],
  [{ Ulimits: [{ Name: "foo", Soft: 1, Hard: 1 }] }, {}, "invalid ulimit type: foo"],
  [{ Ulimits: [{ Name: "nofile", Soft: 2, Hard: 1 }] }, {}, "ulimit soft limit must be less than or equal to hard limit: 2 > 1"],
  [{ SecurityOpt: ["foo"] }, {}, 'invalid --security-opt 1: "foo"'],
  [{ SecurityOpt: ["foo=bar"] }, {}, 'invalid --security-opt 2: "foo=bar"'],
  [{ SecurityOpt: ["seccomp={"] }, {}, "Decoding seccomp profile failed"],
  [{ Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/null", CgroupPermissions: "rx" }] }, {}, "invalid device mode: rx"],
  [{ DeviceCgroupRules: ["x 1:3 r"] }, {}, "invalid device cgroup rule format: 'x 1:3 r'"],
  [{ Tmpfs: { "/t": "foo" } }, {}, 'invalid tmpfs option "foo"'],
  [{ OomScoreAdj: 1001 }, {}, "Invalid value 1001, range for oom score adj is [-1000, 1000]"],
  [{ ShmSize: -1 }, {}, "SHM size can not be less than 0"],
  [{ NetworkMode: "host", Sysctls: { "net.core.somaxconn": "1" } }, {}, 'sysctl "net.core.somaxconn" not allowed in host network namespace'],
  [{}, { WorkingDir: "srv" }, "the working directory 'srv' is invalid, it needs to be an absolute path"],
])("create refuses %o %o", ([host, config, message]) => {
  expect(() => specs.validate({ Image: "x", ...config }, host)).toThrow(
    expect.objectContaining({ class: "invalidArgument", message: expect.stringContaining(message) as string }) as Error,
  );
});

test("a device that is not there is refused at start", () => {
  expect(() => build({ Devices: [{ PathOnHost: "/dev/nope", PathInContainer: "/dev/nope", CgroupPermissions: "rwm" }] })).toThrow(
    'error gathering device information while adding custom device "/dev/nope": no such file or directory',
  );
  const spec = build({ Devices: [{ PathOnHost: "/dev/full", PathInContainer: "/dev/mine", CgroupPermissions: "r" }] });
  expect(linux(spec)["devices"]).toContainEqual(expect.objectContaining({ path: "/dev/mine", type: "c", major: 1, minor: 7 }));
  expect((linux(spec)["resources"] as { devices: unknown[] }).devices).toContainEqual({ allow: true, type: "c", major: 1, minor: 7, access: "r" });
});
