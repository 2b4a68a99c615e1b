import { buildGcDefault } from "./build-gc.ts";
import { expect, test } from "vitest";
import { flagNames, keys } from "./keys.ts";
import { resolveConfig } from "./load.ts";

/** What `dockerd --validate` of 28.5 does not call "directives [that] don't match any configuration option", asked one key a file. */
const accepted = `
  add-runtime allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugin authorization-plugins bip bip6
  bridge builder cdi-spec-dir cdi-spec-dirs cgroup-parent config-file containerd containerd-namespace containerd-plugins-namespace
  cpu-rt-period cpu-rt-runtime cri-containerd data-root debug default-address-pool default-address-pools default-cgroupns-mode
  default-gateway default-gateway-v6 default-ipc-mode default-network-opt default-network-opts default-runtime default-shm-size
  default-ulimit default-ulimits deprecated-key-path dns dns-opt dns-opts dns-search exec-opt exec-opts exec-root experimental feature
  features fixed-cidr fixed-cidr-v6 group help host host-gateway-ip host-gateway-ips hosts http-proxy https-proxy icc init init-path
  insecure-registries insecure-registry ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 label labels live-restore
  log-driver log-format log-level log-opt log-opts max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr mtu
  network-control-plane-mtu network-diagnostic-port no-new-privileges no-proxy node-generic-resource node-generic-resources pidfile proxies
  raw-logs registry-mirror registry-mirrors restart rootless runtimes seccomp-profile selinux-enabled shutdown-timeout storage-driver
  storage-opt storage-opts swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify userland-proxy userland-proxy-path
  userns-remap validate version
`
  .trim()
  .split(/\s+/);

/** Flags that are always given, so that dockerd refuses them in the file. */
const conflicting = ["config-file", "validate"];

/** Not dockerd's: they have cases of their own below. */
const ownKeys = ["slipway", "slipway.logMemory", "slipway.overlay", "slipway.trash"];

/** A value that asks for something, for each key; and the field it lands in, or the reason it does not. */
const cases: readonly [key: string, value: unknown, effect: Record<string, unknown> | string][] = [
  ["allow-direct-routing", true, { allowDirectRouting: true }],
  ["allow-nondistributable-artifacts", ["x"], "like any other"],
  ["authorization-plugins", ["opa"], "no plugins"],
  ["bip", "10.9.0.1/24", { bip: "10.9.0.1/24" }],
  ["bip6", "fd00::1/64", { bip6: "fd00::1/64" }],
  ["bridge", "br0", { bridge: "br0" }],
  ["builder", { gc: { defaultMaxUsedSpace: "20GB" } }, { buildGc: [{ bounds: { maxUsed: { bytes: 20 * 2 ** 30 } }, all: true, filters: {} }] }],
  ["cdi-spec-dirs", ["/etc/cdi"], { cdiSpecDirs: ["/etc/cdi"] }],
  ["cgroup-parent", "/mine", { cgroupParent: "/mine" }],
  ["containerd", "/run/c.sock", "no containerd"],
  ["containerd-namespace", "x", "no containerd"],
  ["containerd-plugins-namespace", "x", "no containerd"],
  ["cpu-rt-period", 1, "version 2"],
  ["cpu-rt-runtime", 1, "version 2"],
  ["cri-containerd", true, "no containerd"],
  ["data-root", "/data", { root: "/data" }],
  ["debug", true, { debug: true }],
  ["default-address-pools", [{ base: "10.0.0.0/8", size: 24 }], { defaultAddressPools: [{ base: "10.0.0.0/8", size: 24 }] }],
  ["default-cgroupns-mode", "host", { cgroupnsMode: "host" }],
  ["default-gateway", "172.17.0.9", { defaultGateway: "172.17.0.9" }],
  ["default-gateway-v6", "fd00::1", { defaultGateway6: "fd00::1" }],
  ["default-ipc-mode", "shareable", { ipcMode: "shareable" }],
  ["default-network-opts", { bridge: { a: "b" } }, { networkOptions: { bridge: { a: "b" } } }],
  ["default-runtime", "runc", { defaultRuntime: "runc" }],
  ["default-shm-size", "128M", { shmSizeBytes: 128 * 1024 * 1024 }],
  ["default-ulimits", { nofile: { Name: "nofile", Hard: 9, Soft: 5 } }, { ulimits: [{ Name: "nofile", Hard: 9, Soft: 5 }] }],
  ["deprecated-key-path", "/x", "any more"],
  ["dns", ["1.1.1.1"], { dns: ["1.1.1.1"] }],
  ["dns-opts", ["ndots:3"], { dnsOptions: ["ndots:3"] }],
  ["dns-search", ["example.com"], { dnsSearch: ["example.com"] }],
  ["exec-opts", ["native.cgroupdriver=systemd"], "by the engine itself"],
  ["exec-root", "/run/x", "run/"],
  ["experimental", true, { experimental: true }],
  ["features", { cdi: true }, { features: { cdi: true } }],
  ["fixed-cidr", "172.17.1.0/24", { fixedCidr: "172.17.1.0/24" }],
  ["fixed-cidr-v6", "fd00::/64", { fixedCidr6: "fd00::/64" }],
  ["group", "docker", { group: "docker" }],
  ["host-gateway-ip", "10.0.0.1", { hostGateways: ["10.0.0.1"] }],
  ["host-gateway-ips", ["10.0.0.1", "fd00::1"], { hostGateways: ["10.0.0.1", "fd00::1"] }],
  ["hosts", ["unix:///run/x.sock"], { hosts: [{ kind: "unix", path: "/run/x.sock" }] }],
  ["http-proxy", "http://p", "proxies"],
  ["https-proxy", "http://p", "proxies"],
  ["no-proxy", "x", "proxies"],
  ["icc", false, { icc: false }],
  ["init", true, { init: true }],
  ["init-path", "/usr/bin/tini", { initPath: "/usr/bin/tini" }],
  ["insecure-registries", ["r:5000"], { insecureRegistries: ["r:5000"] }],
  ["ip", "127.0.0.1", { bindAddress: "127.0.0.1" }],
  ["ip-forward", false, { ipForward: false }],
  ["ip-forward-no-drop", true, {}],
  ["ip-masq", false, { ipMasq: false }],
  ["ip6tables", false, { ip6tables: false }],
  ["iptables", false, { iptables: false }],
  ["ipv6", true, { ipv6: true }],
  ["labels", ["a=b", "a=b"], { labels: ["a=b"] }],
  ["live-restore", false, { liveRestore: false }],
  ["log-driver", "local", { logDriver: "local" }],
  ["log-format", "json", { logFormat: "json" }],
  ["log-level", "WARN", { logLevel: "warn" }],
  ["log-opts", { "max-size": "1m" }, { logOptions: { "max-size": "1m" } }],
  ["max-concurrent-downloads", 9, { maxConcurrentDownloads: 9 }],
  ["max-concurrent-uploads", 9, { maxConcurrentUploads: 9 }],
  ["max-download-attempts", 9, { maxDownloadAttempts: 9 }],
  ["metrics-addr", "127.0.0.1:9323", { metricsAddress: "127.0.0.1:9323" }],
  ["mtu", 1400, { mtu: 1400 }],
  ["network-control-plane-mtu", 1400, "no swarm"],
  ["network-diagnostic-port", 1, "no such server"],
  ["no-new-privileges", true, { noNewPrivileges: true }],
  ["node-generic-resources", ["a=b"], "no swarm"],
  ["pidfile", "/run/p", { pidFile: "/run/p" }],
  ["proxies", { "http-proxy": "http://p" }, { proxies: { http: "http://p", https: "", no: "" } }],
  ["raw-logs", true, {}],
  ["registry-mirrors", ["https://m"], { registryMirrors: ["https://m/"] }],
  ["rootless", true, "as root"],
  ["runtimes", { y: { path: "/y", runtimeArgs: ["-d"] } }, { runtimes: { y: { kind: "oci", path: "/y", args: ["-d"] } } }],
  ["seccomp-profile", "unconfined", { seccompProfile: "unconfined" }],
  ["selinux-enabled", true, "NOT confined"],
  ["shutdown-timeout", 30, { shutdownTimeoutSeconds: 30 }],
  ["storage-driver", "btrfs", "overlayfs"],
  ["storage-opts", ["overlay2.size=1g", "dm.basesize=1g"], "dm.basesize: "],
  ["swarm-default-advertise-addr", "eth0", "no swarm"],
  ["tls", true, { tls: { ca: "/root/.docker/ca.pem", cert: "/root/.docker/cert.pem", key: "/root/.docker/key.pem" } }],
  ["tlscacert", "/ca", { tls: undefined }],
  ["tlscert", "/cert", { tls: undefined }],
  ["tlskey", "/key", { tls: undefined }],
  ["tlsverify", true, { tls: { ca: "/root/.docker/ca.pem", cert: "/root/.docker/cert.pem", key: "/root/.docker/key.pem" } }],
  ["userland-proxy", false, { userlandProxy: false }],
  ["userland-proxy-path", "/x", "carried by the engine"],
  ["userns-remap", "default", "on the RUN steps of builds"],
];

test("every key that dockerd accepts is known", () => {
  expect([...Object.keys(keys), ...Object.keys(flagNames), ...conflicting].sort()).toEqual(
    [...accepted, "api-cors-header", ...ownKeys].filter((key, i, all) => all.indexOf(key) === i).sort(),
  );
});

test("every known key has a case", () => {
  expect([...cases.map(([key]) => key), "api-cors-header", ...ownKeys].sort()).toEqual(Object.keys(keys).sort());
});

test.each(cases)("%s is honoured, or warned about by name", (key, value, effect) => {
  const config = resolveConfig({}, JSON.stringify({ [key]: value }));
  if (typeof effect === "string") {
    expect(config.warnings).toEqual([expect.stringContaining(`daemon.json: "${key}" has no effect: `)]);
    expect(config.warnings[0]).toContain(effect);
  } else {
    expect(config.warnings).toEqual([]);
    expect(config).toMatchObject(effect);
  }
});

test.each(Object.entries(flagNames))("%s, which is a flag's name, is warned about", (name, key) => {
  expect(resolveConfig({}, JSON.stringify({ [name]: "x" })).warnings).toEqual([expect.stringContaining(key === "" ? "not a key" : `"${key}"`)]);
});

const partly: readonly [key: string, value: unknown, effect: Record<string, unknown>][] = [
  ["storage-opts", ["size=1g"], { rootBytes: 2 ** 30 }],
  ["storage-opts", ["overlay2.size=2g", "overlay2.override_kernel_check=true"], { rootBytes: 2 ** 31 }],
  ["builder", {}, { buildGc: buildGcDefault }],
  ["builder", { gc: { defaultMaxUsedSpace: "20%" } }, { buildGc: [{ bounds: { maxUsed: { share: 0.2 } }, all: true, filters: {} }] }],
  ["builder", { gc: { defaultMinFreeSpace: "5GB" } }, { buildGc: [{ bounds: { minFree: { bytes: 5 * 2 ** 30 } }, all: true, filters: {} }] }],
  [
    "builder",
    { gc: { policy: [{ minFreeSpace: "10%" }, { maxUsedSpace: "9GB", reservedSpace: "1GB", keepStorage: "2GB", minFreeSpace: "" }] } },
    {
      buildGc: [
        { bounds: { minFree: { share: 0.1 } }, all: false, filters: {} },
        { bounds: { maxUsed: { bytes: 9 * 2 ** 30 }, reserved: { bytes: 2 ** 30 } }, all: false, filters: {} },
      ],
    },
  ],
  ["userns-remap", "root", { usernsRemap: "root" }],
  ["builder", { gc: { enabled: false, defaultKeepStorage: "20GB" } }, { buildGc: [] }],
  ["builder", {}, { buildEntitlements: ["network.host"] }],
  ["builder", { Entitlements: { "security-insecure": true } }, { buildEntitlements: ["network.host", "security.insecure"] }],
  ["builder", { entitlements: { "network-host": false } }, { buildEntitlements: [] }],
  [
    "builder",
    {
      gc: {
        Enabled: true,
        defaultKeepStorage: "1GB",
        policy: [
          { keepStorage: "10GB", filter: ["unused-for=48h"] },
          { all: true, filter: { type: { regular: true } } },
        ],
      },
    },
    {
      buildGc: [
        { bounds: { reserved: { bytes: 10 * 2 ** 30 } }, all: false, filters: { "unused-for": ["48h"] } },
        { bounds: { reserved: { bytes: 2 ** 30 } }, all: true, filters: { type: ["regular"] } },
      ],
    },
  ],
  ["exec-opts", ["native.cgroupdriver=cgroupfs"], {}],
  ["slipway", {}, {}],
  ["slipway", { logMemory: { days: 2 } }, { logMemory: { days: 2, maxBytes: 1024 ** 3 } }],
  ["slipway.logMemory", { maxSize: "2g" }, { logMemory: { days: 7, maxBytes: 2 * 1024 ** 3 } }],
  ["slipway.trash", { bytes: "2g" }, { trash: { days: 7, bytes: 2 * 1024 ** 3 } }],
  ["slipway", { trash: { days: 0 } }, { trash: { days: 0, bytes: 10 * 1024 ** 3 } }],
  ["slipway.overlay", { etcd: ["http://e:2379"], advertise: "10.0.0.1" }, { overlay: { etcd: ["http://e:2379"], advertise: "10.0.0.1" } }],
  [
    "slipway",
    { overlay: { etcd: ["https://e:2379"], advertise: "fd00::1", tls: { ca: "/ca", cert: "/cert", key: "/key" } } },
    { overlay: { etcd: ["https://e:2379"], advertise: "fd00::1", tls: { ca: "/ca", cert: "/cert", key: "/key" } } },
  ],
  ["features", { "containerd-snapshotter": true, buildkit: false }, { features: { "containerd-snapshotter": true, buildkit: false } }],
];

test.each(partly)("%s with %j is honoured in silence", (key, value, effect) => {
  const config = resolveConfig({}, JSON.stringify({ [key]: value }));
  expect(config.warnings).toEqual([]);
  expect(config).toMatchObject(effect);
});

test("containers' users are mapped, although steps of builds are not", () => {
  expect(resolveConfig({}, JSON.stringify({ "userns-remap": "ann" })).usernsRemap).toBe("ann");
});

test.each([
  ["storage-opts", ["size"], "Unable to parse storage-opt: size"],
  ["builder", { gc: { enabled: "yes" } }, "builder.gc.enabled must be true or false"],
  ["builder", { gc: { policy: {} } }, "builder.gc.policy must be a list of rules"],
  ["builder", { gc: { policy: [{ filter: ["x"] }] } }, 'builder.gc.policy.filter: invalid filter "x"'],
  ["bip6", "10.0.0.1/8", "bip6 must be an address with a prefix length (fd00::1/64), got 10.0.0.1/8"],
  ["default-gateway", "fd00::1", "default-gateway must be an IPv4 address, got fd00::1"],
  ["icc", "no", "icc must be true or false"],
  ["slipway", { x: 1 }, 'slipway: unknown field "x"'],
  ["slipway", { logMemory: { hours: 1 } }, 'slipway.logMemory: unknown field "hours"'],
  ["slipway", { logMemory: { days: -1 } }, "slipway.logMemory.days must be from 0 (off) to 3650"],
  ["slipway.logMemory", { maxSize: "lots" }, "slipway.logMemory.maxSize: invalid size: 'lots'"],
  ["slipway.trash", { maxSize: 1 }, 'slipway.trash: unknown field "maxSize"'],
  ["slipway", { trash: { days: 4000 } }, "slipway.trash.days must be from 0 (off) to 3650"],
  ["slipway.trash", { bytes: "all" }, "slipway.trash.bytes: invalid size: 'all'"],
  ["slipway.overlay", { advertise: "10.0.0.1" }, "slipway.overlay.etcd must be a list of URLs"],
  ["slipway.overlay", { etcd: ["10.0.0.5:2379"], advertise: "10.0.0.1" }, "slipway.overlay.etcd must be URLs with http:// or https://"],
  ["slipway", { overlay: { etcd: ["http://e:2379"], advertise: "eth0" } }, "slipway.overlay.advertise must be the IP address of this machine"],
  ["slipway.overlay", { etcd: ["http://e"], advertise: "::1", tls: { ca: "ca.pem" } }, "slipway.overlay.tls.ca must be the absolute path of a file"],
])("%s: %j is refused", (key, value, reason) => {
  expect(() => resolveConfig({}, JSON.stringify({ [key]: value }))).toThrow(reason);
});
