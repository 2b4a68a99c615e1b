/**
 * What `docker run` is asked for, flag by flag. Recorded from a real dockerd 28.5 into dockerd-28.5.flags.json: exit code, output, error text and
 * what inspect shows. `{dir}` is a directory with the files of `caseFiles`, `{n}` the case's own container name.
 */
export interface FlagCase {
  /** Flags of `docker run --help` this case stands for, without dashes. */
  readonly flags: readonly string[];
  readonly name: string;
  /** What follows `docker run --name {n}`. */
  readonly args: readonly string[];
  /** docker commands run first; they must succeed. */
  readonly before?: readonly (readonly string[])[];
  /** docker commands run after, whatever they say. */
  readonly after?: readonly (readonly string[])[];
  /** Fields of inspect to be shown. */
  readonly show?: readonly string[];
  readonly input?: string;
  /** `-t`: util-linux `script` gives the CLI a terminal. */
  readonly tty?: boolean;
  /** What ours answers where dockerd is wrong or names its own parts, and why. */
  readonly ours?: {
    readonly reason: string;
    readonly code?: number;
    readonly err: RegExp;
  };
}

export const caseFiles: Readonly<Record<string, string>> = {
  "env.list": "FROM_FILE=1\n# a comment\nOTHER=two words\n",
  "label.list": "from=file\n",
  "allow.json": JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }),
  "bad.json": "{",
  "file.txt": "from the host\n",
};

const one = (flag: string, args: readonly string[], more: Partial<FlagCase> = {}): FlagCase => ({
  flags: flag.split(" "),
  name: `${args.join(" ")}`,
  args,
  ...more,
});
const sh = (script: string): readonly string[] => ["busybox", "sh", "-c", script];
const capabilities = "grep -E 'Cap(Prm|Bnd|Eff|Inh|Amb)|NoNewPrivs|Seccomp:' /proc/self/status";
const host = (...names: readonly string[]): { show: readonly string[] } => ({ show: names.map((name) => `HostConfig.${name}`) });
const config = (...names: readonly string[]): { show: readonly string[] } => ({ show: names.map((name) => `Config.${name}`) });
const mounted = (path: string): string => `grep ' ${path} ' /proc/self/mountinfo | cut -d' ' -f5,6,7 | sed 's/ shared:.*//; s/ master:.*//'`;
const peer = {
  before: [
    [
      "run",
      "-d",
      "--name",
      "{n}-peer",
      "--ipc",
      "shareable",
      "-e",
      "PEER=yes",
      "--expose",
      "90",
      "-v",
      "/shared",
      ...sh("echo kept > /shared/file; echo q > /dev/shm/q; sleep 600"),
    ],
    ["exec", "{n}-peer", "sh", "-c", "until test -s /dev/shm/q; do sleep 0.1; done"],
  ],
  after: [["rm", "-fv", "{n}-peer"]],
};
const network = {
  before: [["network", "create", "--subnet", "10.99.0.0/24", "{n}-net"]],
  after: [
    ["rm", "-f", "{n}"],
    ["network", "rm", "{n}-net"],
  ],
};

const process: readonly FlagCase[] = [
  one("attach", ["-a", "stdout", ...sh("echo out; echo err >&2")], config("AttachStdin", "AttachStdout", "AttachStderr")),
  one("attach", ["-a", "stderr", ...sh("echo out; echo err >&2")]),
  one("attach", ["-a", "nowhere", "busybox", "true"]),
  one("detach", ["-d", "busybox", "true"], config("AttachStdout", "OpenStdin", "Tty")),
  one("detach", ["-d", "-a", "stdout", "busybox", "true"]),
  one("detach rm", ["-d", "--rm", "busybox", "true"]),
  one("detach-keys", ["--detach-keys", "ctrl-x,x", "-i", "busybox", "cat"], { input: "typed\n" }),
  one("detach-keys", ["--detach-keys", "nonsense-x", "busybox", "true"]),
  one("entrypoint", ["--entrypoint", "echo", "busybox", "said"], config("Entrypoint", "Cmd")),
  one("entrypoint", ["--entrypoint", "", "busybox", "echo", "plain"], config("Entrypoint", "Cmd")),
  one("env", ["-e", "A=1", "-e", "EMPTY=", "-e", "NOT_SET_ANYWHERE", ...sh("env | grep -E '^(A|EMPTY|NOT|HOME|PATH)' | sort")], config("Env")),
  one("env", ["-e", "=x", "busybox", "true"]),
  one("env-file", ["--env-file", "{dir}/env.list", ...sh("env | grep -E 'FILE|OTHER' | sort")], config("Env")),
  one("env-file", ["--env-file", "{dir}/missing", "busybox", "true"]),
  one("interactive", ["-i", "busybox", "cat"], { input: "through\n", ...config("OpenStdin", "StdinOnce", "AttachStdin") }),
  one("tty interactive", ["-it", ...sh("test -t 0 && test -t 1 && echo terminal; echo $TERM")], { tty: true, ...config("Tty") }),
  one("user", ["-u", "user", ...sh("id; " + capabilities)], config("User")),
  one("user", ["-u", "1234:5678", ...sh("id -u; id -g; pwd; echo $HOME")], config("User")),
  one("user", ["-u", "nobody-here", "busybox", "true"]),
  one("user", ["-u", "root:nogroup-here", "busybox", "true"]),
  one("user", ["-u", "99999999999", "busybox", "true"]),
  one("group-add", ["--group-add", "user", "--group-add", "777", "busybox", "id"], host("GroupAdd")),
  one("group-add", ["--group-add", "none-such", "busybox", "true"]),
  one("workdir", ["-w", "/made/here", "busybox", "pwd"], config("WorkingDir")),
  one("workdir", ["-w", "relative", "busybox", "pwd"]),
  one(
    "hostname domainname",
    ["-h", "box", "--domainname", "example.test", ...sh("hostname; cat /proc/sys/kernel/domainname; grep box /etc/hosts | cut -f2; cat /etc/hostname")],
    config("Hostname", "Domainname"),
  ),
  one("hostname", ["-h", "-bad-", "busybox", "hostname"]),
  one("label", ["-l", "a=b", "-l", "bare", "busybox", "true"], config("Labels")),
  one("label-file", ["--label-file", "{dir}/label.list", "busybox", "true"], config("Labels")),
  one("annotation", ["--annotation", "x.y=z", "busybox", "true"], host("Annotations")),
  one("annotation", ["--annotation", "=z", "busybox", "true"]),
  one(
    "stop-signal stop-timeout",
    ["-d", "--stop-signal", "SIGUSR1", "--stop-timeout", "30", ...sh("trap 'exit 7' USR1; touch /ready; while :; do sleep 0.1; done")],
    {
      ...config("StopSignal", "StopTimeout"),
      after: [
        ["exec", "{n}", "sh", "-c", "until test -e /ready; do sleep 0.1; done"],
        ["stop", "{n}"],
        ["inspect", "-f", "{{.State.ExitCode}}", "{n}"],
      ],
    },
  ),
  one("stop-signal", ["--stop-signal", "SIGNOTHING", "busybox", "true"]),
  one("sig-proxy", ["--sig-proxy=false", "busybox", "true"]),
  one("help", ["--help"], { show: [] }),
  one("name", ["busybox", "true"], { show: ["Name"] }),
  one("name", ["--name", "-bad", "busybox", "true"]),
  one("name", ["--name", "{n}-peer", "busybox", "true"], peer),
  one("rm", ["--rm", "busybox", "sh", "-c", "exit 3"]),
  one("rm restart", ["--rm", "--restart", "always", "busybox", "true"]),
  one("cidfile", ["--cidfile", "{dir}/{n}.cid", "busybox", "true"], host("ContainerIDFile")),
  one("cidfile", ["--cidfile", "{dir}/file.txt", "busybox", "true"]),
  one("init", ["--init", ...sh("cat /proc/1/comm; tr '\\0' ' ' < /proc/1/cmdline")], host("Init")),
  one("init", ["--init=false", ...sh("cat /proc/1/comm")], host("Init")),
  one("init", ["--init", ...sh("(sleep 0.1 &) ; sleep 0.4; cat /proc/[0-9]*/stat | grep -c ') Z ' ; exit 4")]),
  one("pull quiet", ["--pull", "never", "-q", "busybox", "true"]),
  one("pull", ["--pull", "never", "not-here:v1", "true"]),
  one("pull", ["--pull", "sometimes", "busybox", "true"]),
  one("platform", ["--platform", "linux/amd64", "busybox", "echo", "here"]),
  one("platform", ["--pull", "never", "--platform", "linux/s390x", "busybox", "true"], {
    ours: {
      reason: "the image is named as it was asked for",
      err: /image with reference busybox was found but does not provide the specified platform \(linux\/s390x\)/,
    },
  }),
  one("platform", ["--platform", "no/such/plat/form", "busybox", "true"]),
  one("disable-content-trust", ["--disable-content-trust", "busybox", "true"]),
  one("runtime", ["--runtime", "runc", "busybox", "echo", "ran"]),
  one("runtime", ["--runtime", "io.containerd.runc.v2", "busybox", "echo", "ran"], host("Runtime")),
  one("runtime", ["--runtime", "nothing", "busybox", "true"]),
  one("isolation", ["--isolation", "default", "busybox", "echo", "ran"], host("Isolation")),
  one("isolation", ["--isolation", "hyperv", "busybox", "true"]),
  one("use-api-socket", ["--use-api-socket", "busybox", "true"]),
  one("name", ["busybox", "no-such-command"], { show: ["State.ExitCode", "State.Status", "State.Error"] }),
  one("name", ["busybox", "/etc"], { show: ["State.ExitCode", "State.Status"] }),
  one("name", ["busybox", "/etc/passwd"], { show: ["State.ExitCode", "State.Status"] }),
  one("name", [...sh("exit 255")], { show: ["State.ExitCode", "State.Status"] }),
  one("name", [...sh("kill -9 $$")], { show: ["State.ExitCode", "State.OOMKilled"] }),
  one("name", [...sh("kill -15 $$; sleep 0.2; exit 6")], { show: ["State.ExitCode"] }),
];

const security: readonly FlagCase[] = [
  one("cap-add", ["--cap-add", "NET_ADMIN", "--cap-add", "sys_time", ...sh(capabilities)], host("CapAdd")),
  one("cap-add", ["--cap-add", "ALL", ...sh(capabilities)], { ...host("CapAdd") }),
  one("cap-add", ["--cap-add", "NOTHING", "busybox", "true"]),
  one("cap-drop", ["--cap-drop", "CHOWN", "--cap-drop", "CAP_KILL", ...sh(capabilities)], host("CapDrop")),
  one("cap-drop", ["--cap-drop", "all", ...sh(capabilities)], host("CapDrop")),
  one("cap-drop cap-add", ["--cap-drop", "ALL", "--cap-add", "CHOWN", ...sh(capabilities)], host("CapAdd", "CapDrop")),
  one(
    "privileged",
    [
      "--privileged",
      ...sh(
        "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status; ls /sys/firmware | wc -l | grep -v '^0$' > /dev/null && echo firmware; test -w /proc/sys && echo writable; " +
          mounted("/sys"),
      ),
    ],
    host("Privileged", "MaskedPaths", "ReadonlyPaths", "SecurityOpt", "CgroupnsMode"),
  ),
  one("security-opt", ["--security-opt", "no-new-privileges", ...sh(capabilities)], host("SecurityOpt")),
  one("security-opt", ["--security-opt", "no-new-privileges=false", ...sh(capabilities)], host("SecurityOpt")),
  one("security-opt", ["--security-opt", "no-new-privileges=perhaps", "busybox", "true"]),
  one("security-opt", ["--security-opt", "seccomp=unconfined", ...sh(capabilities)], host("SecurityOpt")),
  one("security-opt", ["--security-opt", "seccomp={dir}/allow.json", ...sh("mkdir /x; grep Seccomp: /proc/self/status")], host("SecurityOpt")),
  one("security-opt", ["--security-opt", "seccomp={dir}/bad.json", "busybox", "true"]),
  one("security-opt", ["--security-opt", "seccomp={dir}/missing.json", "busybox", "true"]),
  one("security-opt", ["--security-opt", "seccomp=builtin", ...sh("grep Seccomp: /proc/self/status")]),
  one("security-opt", ["--security-opt", "apparmor=unconfined", "busybox", "true"], host("SecurityOpt")),
  one("security-opt", ["--security-opt", "label=disable", "busybox", "true"], host("SecurityOpt")),
  one("security-opt", ["--security-opt", "label=user:x", "busybox", "true"]),
  one(
    "security-opt",
    [
      "--security-opt",
      "systempaths=unconfined",
      ...sh("test -w /proc/sys && echo writable; ls /proc/acpi > /dev/null 2>&1; grep -c /proc/ /proc/self/mountinfo"),
    ],
    host("SecurityOpt", "MaskedPaths", "ReadonlyPaths"),
  ),
  one("security-opt", ["--security-opt", "nonsense", "busybox", "true"]),
  one("security-opt", ["--security-opt", "nonsense=1", "busybox", "true"]),
  one("security-opt", ["--security-opt", "writable-cgroups=true", ...sh(mounted("/sys/fs/cgroup"))]),
  one("read-only", ["--read-only", ...sh("touch /x; echo $?; touch /dev/shm/x && echo shm; touch /etc/hosts; echo $?")], host("ReadonlyRootfs")),
  one("read-only tmpfs", ["--read-only", "--tmpfs", "/run", ...sh("touch /run/x && echo written")]),
  one("userns", ["--userns", "host", ...sh("cat /proc/self/uid_map")], host("UsernsMode")),
  one("userns", ["--userns", "private", "busybox", "true"]),
  one("uts", ["--uts", "host", ...sh('test "$(hostname)" = "$(cat /proc/sys/kernel/hostname)" && echo same')], host("UTSMode")),
  one("uts", ["--uts", "nothing", "busybox", "true"]),
  one("uts hostname", ["--uts", "host", "-h", "x", "busybox", "true"]),
  one("ipc", ["--ipc", "none", ...sh("ls /dev/shm; echo $?")], host("IpcMode")),
  one("ipc", ["--ipc", "private", ...sh(mounted("/dev/shm"))], host("IpcMode")),
  one("ipc", ["--ipc", "shareable", ...sh(mounted("/dev/shm"))], host("IpcMode")),
  one("ipc", ["--ipc", "host", ...sh("echo in")], host("IpcMode")),
  one("ipc", ["--ipc", "container:{n}-peer", "busybox", "cat", "/dev/shm/q"], peer),
  one("ipc", ["--ipc", "container:nobody", "busybox", "true"]),
  one("ipc", ["--ipc", "container:{n}-own", "busybox", "true"], {
    before: [["run", "-d", "--name", "{n}-own", "busybox", "sleep", "600"]],
    after: [["rm", "-f", "{n}-own"]],
  }),
  one("ipc", ["--ipc", "nonsense", "busybox", "true"]),
  one("pid", ["--pid", "host", ...sh("test $(ls -d /proc/[0-9]* 2>/dev/null | wc -l) -gt 20 && echo many")], host("PidMode")),
  one("pid", ["--pid", "container:{n}-peer", ...sh("ps | grep -c '[s]leep 600'")], { ...peer }),
  one("pid", ["--pid", "container:nobody", "busybox", "true"]),
  one("pid", ["--pid", "nonsense", "busybox", "true"]),
  one("pid init", ["--pid", "host", "--init", ...sh("echo here")]),
  one("cgroupns", ["--cgroupns", "private", ...sh("cat /proc/self/cgroup")], host("CgroupnsMode")),
  one("cgroupns", ["--cgroupns", "host", ...sh("grep -q '^0::/$' /proc/self/cgroup || echo path")], host("CgroupnsMode")),
  one("cgroupns", ["--cgroupns", "nonsense", "busybox", "true"]),
  one("cgroup-parent", ["--cgroup-parent", "/own-parent", "--cgroupns", "host", ...sh("grep -o own-parent /proc/self/cgroup")], host("CgroupParent")),
  one("sysctl", ["--sysctl", "net.core.somaxconn=99", ...sh("cat /proc/sys/net/core/somaxconn")], host("Sysctls")),
  one("sysctl", ["--sysctl", "kernel.domainname=x", "busybox", "true"]),
  one("sysctl", ["--sysctl", "kernel.panic=1", "busybox", "true"], { show: ["State.ExitCode"] }),
  one("sysctl network", ["--network", "host", "--sysctl", "net.core.somaxconn=99", "busybox", "true"], {
    ours: {
      reason: "said at create, before anything is made",
      err: /^docker: Error response from daemon: sysctl "net.core.somaxconn" not allowed in host network namespace\.$/,
    },
  }),
  one("ulimit", ["--ulimit", "nofile=100:200", "--ulimit", "core=0", ...sh("grep -E 'open files|core file' /proc/self/limits")], host("Ulimits")),
  one("ulimit", ["--ulimit", "nofile=200:100", "busybox", "true"]),
  one("ulimit", ["--ulimit", "nothing=1", "busybox", "true"]),
  one("device", ["--device", "/dev/zero:/dev/naught:r", ...sh("head -c 2 /dev/naught | od -An -tx1; ls -l /dev/naught | cut -c1-10")], host("Devices")),
  one("device", ["--device", "/dev/nothing-there", "busybox", "true"], { show: ["State.ExitCode", "State.Error"] }),
  one("device", ["--device", "/dev/zero:/dev/x:q", "busybox", "true"]),
  one("device", ["--device", "vendor.com/class=name", "busybox", "true"]),
  one("device-cgroup-rule", ["--device-cgroup-rule", "c 1:11 rw", "busybox", "true"], host("DeviceCgroupRules")),
  one("device-cgroup-rule", ["--device-cgroup-rule", "nonsense", "busybox", "true"]),
  one("gpus", ["--gpus", "all", "busybox", "true"]),
  one("oom-score-adj", ["--oom-score-adj", "500", "busybox", "cat", "/proc/self/oom_score_adj"], host("OomScoreAdj")),
  one("oom-score-adj", ["--oom-score-adj", "2000", "busybox", "true"]),
  one("storage-opt", ["--storage-opt", "size=10G", "busybox", "true"], {
    ours: {
      reason: "with this image store dockerd drops the size without a word",
      code: 125,
      err: /--storage-opt is supported only for overlay over xfs with 'pquota' mount option/,
    },
  }),
  one("storage-opt", ["--storage-opt", "nonsense=1", "busybox", "true"], {
    ours: { reason: "with this image store dockerd drops it without a word", code: 125, err: /Unknown option nonsense/ },
  }),
];

const limits: readonly FlagCase[] = [
  one("memory", ["-m", "64m", "busybox", "echo", "ran"], host("Memory", "MemorySwap")),
  one("memory", ["-m", "1m", "busybox", "true"]),
  one("memory-swap", ["-m", "64m", "--memory-swap", "128m", "busybox", "true"], host("Memory", "MemorySwap")),
  one("memory-swap", ["-m", "64m", "--memory-swap", "32m", "busybox", "true"]),
  one("memory-swap", ["--memory-swap", "32m", "busybox", "true"]),
  one("memory-reservation", ["--memory-reservation", "32m", "busybox", "true"], host("MemoryReservation")),
  one("memory-reservation", ["-m", "64m", "--memory-reservation", "128m", "busybox", "true"]),
  one("memory-reservation", ["--memory-reservation", "1m", "busybox", "true"]),
  one("memory-swappiness", ["--memory-swappiness", "50", "busybox", "true"], host("MemorySwappiness")),
  one("memory-swappiness", ["--memory-swappiness", "101", "busybox", "true"]),
  one("kernel-memory", ["--kernel-memory", "64m", "busybox", "true"]),
  one("oom-kill-disable", ["--oom-kill-disable", "busybox", "true"], host("OomKillDisable")),
  one("cpus", ["--cpus", "0.5", "busybox", "true"], host("NanoCpus")),
  one("cpus", ["--cpus", "1000", "busybox", "true"]),
  one("cpus cpu-period", ["--cpus", "0.5", "--cpu-period", "10000", "busybox", "true"]),
  one("cpus cpu-quota", ["--cpus", "0.5", "--cpu-quota", "10000", "busybox", "true"]),
  one("cpu-shares", ["-c", "512", "busybox", "true"], host("CpuShares")),
  one("cpu-shares", ["-c", "-1", "busybox", "true"]),
  one("cpu-period", ["--cpu-period", "50000", "busybox", "true"], host("CpuPeriod")),
  one("cpu-period", ["--cpu-period", "10", "busybox", "true"]),
  one("cpu-quota", ["--cpu-quota", "50000", "busybox", "true"], host("CpuQuota")),
  one("cpu-quota", ["--cpu-quota", "10", "busybox", "true"]),
  one("cpu-rt-period", ["--cpu-rt-period", "10000", "busybox", "true"]),
  one("cpu-rt-runtime", ["--cpu-rt-runtime", "1000", "busybox", "true"]),
  one("cpuset-cpus", ["--cpuset-cpus", "0", "busybox", "true"], host("CpusetCpus")),
  one("cpuset-cpus", ["--cpuset-cpus", "nonsense", "busybox", "true"]),
  one("cpuset-mems", ["--cpuset-mems", "0", "busybox", "true"], host("CpusetMems")),
  one("cpuset-mems", ["--cpuset-mems", "x", "busybox", "true"]),
  one("pids-limit", ["--pids-limit", "50", "busybox", "true"], host("PidsLimit")),
  one("pids-limit", ["--pids-limit", "-1", "busybox", "true"], host("PidsLimit")),
  one("blkio-weight", ["--blkio-weight", "300", "busybox", "true"], host("BlkioWeight")),
  one("blkio-weight", ["--blkio-weight", "5", "busybox", "true"]),
  one("blkio-weight-device", ["--blkio-weight-device", "/dev/null:300", "busybox", "true"], host("BlkioWeightDevice")),
  one("blkio-weight-device", ["--blkio-weight-device", "/dev/null:5", "busybox", "true"]),
  one("device-read-bps", ["--device-read-bps", "/dev/null:1mb", "busybox", "true"], host("BlkioDeviceReadBps")),
  one("device-write-bps", ["--device-write-bps", "/dev/null:1mb", "busybox", "true"], host("BlkioDeviceWriteBps")),
  one("device-read-iops", ["--device-read-iops", "/dev/null:100", "busybox", "true"], host("BlkioDeviceReadIOps")),
  one("device-write-iops", ["--device-write-iops", "/dev/null:100", "busybox", "true"], host("BlkioDeviceWriteIOps")),
  one("shm-size", ["--shm-size", "8m", ...sh("df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2")], host("ShmSize")),
  one("shm-size", ["--shm-size", "-1", "busybox", "true"]),
];

const files: readonly FlagCase[] = [
  one("volume", ["-v", "{dir}:/from:ro", ...sh("cat /from/file.txt; touch /from/x; echo $?; " + mounted("/from"))], { show: ["HostConfig.Binds", "Mounts"] }),
  one("volume", ["-v", "{dir}/made-by-v:/made", ...sh("touch /made/x && echo written")]),
  one("volume", ["-v", "{n}-vol:/www", ...sh("cat /www/index.html")], {
    show: ["Mounts"],
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("volume", ["-v", "{n}-vol:/www:nocopy", ...sh("ls /www")], {
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("volume", ["-v", "{dir}:/from:rprivate", ...sh("echo in")], { show: ["Mounts"] }),
  one("volume", ["-v", "/data", "busybox", "true"], { show: ["Config.Volumes"] }),
  one("volume", ["-v", "{dir}:relative", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/x:nonsense", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/", "busybox", "true"]),
  one("volume", ["-v", "a:b:c:d", "busybox", "true"]),
  one("volume", ["-v", "{dir}:/x", "-v", "{dir}:/x", "busybox", "true"]),
  one("volume", ["-v", "-bad:/x", "busybox", "true"]),
  one("volume-driver", ["--volume-driver", "local", "-v", "{n}-vol:/x", "busybox", "true"], {
    show: ["HostConfig.VolumeDriver"],
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("volume-driver", ["--pull", "never", "--volume-driver", "nothing", "-v", "{n}-vol:/x", "busybox", "true"]),
  one("volumes-from", ["--volumes-from", "{n}-peer", "busybox", "cat", "/shared/file"], { ...peer, ...host("VolumesFrom") }),
  one("volumes-from", ["--volumes-from", "{n}-peer:ro", ...sh("touch /shared/x; echo $?")], peer),
  one("volumes-from", ["--volumes-from", "{n}-peer:nonsense", "busybox", "true"], peer),
  one("volumes-from", ["--volumes-from", "nobody", "busybox", "true"]),
  one("tmpfs", ["--tmpfs", "/t:size=1m,mode=1700", ...sh("df -k /t | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /t; " + mounted("/t"))], host("Tmpfs")),
  one("tmpfs", ["--tmpfs", "/t:exec", ...sh(mounted("/t"))]),
  one("tmpfs", ["--tmpfs", "relative", "busybox", "true"]),
  one("tmpfs", ["--tmpfs", "/t:nonsense", "busybox", "true"]),
  one("mount", ["--mount", "type=bind,source={dir},target=/from,readonly", ...sh("cat /from/file.txt; " + mounted("/from"))], { show: ["Mounts"] }),
  one("mount", ["--mount", "type=bind,source={dir},target=/from,bind-propagation=rprivate", "busybox", "true"], { show: ["Mounts", "HostConfig.Mounts"] }),
  one("mount", ["--mount", "type=bind,source={dir},target=/from,bind-recursive=disabled", "busybox", "true"], { show: ["HostConfig.Mounts"] }),
  one("mount", ["--mount", "type=bind,source={dir}/missing,target=/from", "busybox", "true"]),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/www,volume-nocopy,volume-label=a=b", ...sh("ls /www")], {
    show: ["HostConfig.Mounts"],
    after: [
      ["volume", "inspect", "-f", "{{json .Labels}}", "{n}-vol"],
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("mount", ["--mount", "type=volume,target=/anonymous", ...sh("touch /anonymous/x && echo written")]),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/sub,volume-subpath=inner", ...sh("cat /sub/file")], {
    before: [["run", "--rm", "-v", "{n}-vol:/v", ...sh("mkdir /v/inner; echo below > /v/inner/file")]],
    show: ["HostConfig.Mounts"],
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/sub,volume-subpath=missing", "busybox", "true"], {
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one("mount", ["--mount", "type=volume,source={n}-vol,target=/sub,volume-subpath=../up", "busybox", "true"], {
    after: [
      ["rm", "-f", "{n}"],
      ["volume", "rm", "{n}-vol"],
    ],
  }),
  one(
    "mount",
    [
      "--mount",
      "type=volume,source={n}-vol,target=/v,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m",
      ...sh("df -k /v | tail -1 | tr -s ' ' | cut -d' ' -f2"),
    ],
    {
      after: [
        ["rm", "-f", "{n}"],
        ["volume", "rm", "{n}-vol"],
      ],
    },
  ),
  one("mount", ["--mount", "type=tmpfs,target=/t,tmpfs-size=1048576,tmpfs-mode=1700", ...sh("df -k /t | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /t")], {
    show: ["HostConfig.Mounts", "Mounts"],
  }),
  one("mount", ["--mount", "type=image,source=busybox,target=/img", ...sh("cat /img/www/index.html; touch /img/x; echo $?")], {
    show: ["HostConfig.Mounts", "Mounts"],
  }),
  one("mount", ["--mount", "type=nonsense,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=bind,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=tmpfs,target=relative", "busybox", "true"]),
  one("mount", ["--mount", "type=tmpfs,source=x,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=npipe,source=x,target=/x", "busybox", "true"]),
  one("mount", ["--mount", "type=bind,source={dir},target=/x,bind-propagation=nonsense", "busybox", "true"]),
];

const networks: readonly FlagCase[] = [
  one("add-host", ["--add-host", "a:1.2.3.4", "--add-host", "h:host-gateway", ...sh("grep -E '[[:space:]](a|h)$' /etc/hosts | cut -f2")], host("ExtraHosts")),
  one("add-host", ["--add-host", "nonsense", "busybox", "true"]),
  one(
    "dns dns-option dns-search",
    ["--dns", "1.1.1.1", "--dns-option", "timeout:3", "--dns-search", "example.test", ...sh("grep -v '^#' /etc/resolv.conf")],
    host("Dns", "DnsOptions", "DnsSearch"),
  ),
  one("dns", ["--dns", "nonsense", "busybox", "true"]),
  one("expose", ["--expose", "81-82/udp", "busybox", "true"], config("ExposedPorts")),
  one("expose", ["--expose", "nonsense", "busybox", "true"]),
  one("publish", ["-p", "127.0.0.1:18093:80/tcp", "busybox", "true"], { show: ["HostConfig.PortBindings", "Config.ExposedPorts"] }),
  one("publish", ["-p", "nonsense", "busybox", "true"]),
  one("publish", ["-p", "99999:80", "busybox", "true"]),
  one("publish-all", ["-P", "--expose", "81", "busybox", "true"], host("PublishAllPorts")),
  one("network", ["--network", "none", ...sh("ls /sys/class/net")], { show: ["HostConfig.NetworkMode", "NetworkSettings.Networks.none.Aliases"] }),
  one("network", ["--network", "host", ...sh("test $(ls /sys/class/net | wc -l) -ge 1 && echo in")], host("NetworkMode")),
  one("network", ["--network", "container:{n}-peer", ...sh("cat /etc/hosts | wc -l")], { before: peer.before, after: peer.after }),
  one("network", ["--network", "container:nobody", "busybox", "true"]),
  one("network", ["--network", "not-there", "busybox", "true"], { show: ["State.ExitCode"] }),
  one("network publish", ["--network", "container:{n}-peer", "-p", "80:80", "busybox", "true"], peer),
  one("network hostname", ["--network", "container:{n}-peer", "-h", "x", "busybox", "true"], peer),
  one("network add-host", ["--network", "container:{n}-peer", "--add-host", "a:1.2.3.4", "busybox", "true"], peer),
  one("network dns", ["--network", "container:{n}-peer", "--dns", "1.1.1.1", "busybox", "true"], peer),
  one("network mac-address", ["--network", "container:{n}-peer", "--mac-address", "02:42:ac:11:00:99", "busybox", "true"], peer),
  one("network-alias ip", ["--network", "{n}-net", "--network-alias", "other", "--ip", "10.99.0.77", ...sh("ip addr show eth0 | grep -o 10.99.0.77/24")], {
    ...network,
    show: ["NetworkSettings.Networks"],
  }),
  one("ip", ["--ip", "10.99.0.77", "busybox", "true"]),
  one("ip", ["--network", "{n}-net", "--ip", "nonsense", "busybox", "true"], network),
  one("ip", ["--network", "{n}-net", "--ip", "10.98.0.1", "busybox", "true"], network),
  one("ip6", ["--network", "{n}-net", "--ip6", "fd00:99::77", "busybox", "true"], {
    before: [["network", "create", "--ipv6", "--subnet", "fd00:99::/64", "{n}-net"]],
    after: network.after,
  }),
  one("mac-address", ["--mac-address", "02:42:ac:11:00:99", ...sh("cat /sys/class/net/eth0/address")], config("MacAddress")),
  one("mac-address", ["--mac-address", "nonsense", "busybox", "true"]),
  one("link-local-ip", ["--network", "{n}-net", "--link-local-ip", "169.254.10.10", "busybox", "true"], { ...network, show: ["NetworkSettings.Networks"] }),
  one("link", ["--link", "{n}-peer:al", ...sh("grep -c 'al .*{n}-peer$' /etc/hosts; env | grep -E '^AL_' | sed 's/172.17.0.[0-9]*/<ip>/' | sort")], {
    ...peer,
    ...host("Links"),
  }),
  one("link", ["--link", "nobody", "busybox", "true"]),
  one("link", ["--network", "{n}-net", "--link", "{n}-peer:al", ...sh("ping -c 1 al | grep -c '1 packets received'")], {
    before: [...network.before, ["run", "-d", "--name", "{n}-peer", "--network", "{n}-net", "busybox", "sleep", "600"]],
    after: [
      ["rm", "-f", "{n}", "{n}-peer"],
      ["network", "rm", "{n}-net"],
    ],
    show: ["HostConfig.Links", "NetworkSettings.Networks"],
  }),
];

const upkeep: readonly FlagCase[] = [
  one("restart", ["--restart", "on-failure:2", ...sh("exit 1")], {
    show: ["HostConfig.RestartPolicy"],
    after: [
      ["wait", "{n}"],
      ["inspect", "-f", "{{.RestartCount}} {{.State.ExitCode}}", "{n}"],
    ],
  }),
  one("restart", ["--restart", "unless-stopped", "-d", "busybox", "sleep", "600"], host("RestartPolicy")),
  one("restart", ["--restart", "nonsense", "busybox", "true"]),
  one("restart", ["--restart", "always:3", "busybox", "true"]),
  one("restart", ["--restart", "on-failure:-1", "busybox", "true"]),
  one(
    "health-cmd health-interval health-retries health-start-interval health-start-period health-timeout",
    [
      "--health-cmd",
      "true",
      "--health-interval",
      "5s",
      "--health-retries",
      "2",
      "--health-start-interval",
      "1s",
      "--health-start-period",
      "2s",
      "--health-timeout",
      "3s",
      "busybox",
      "true",
    ],
    config("Healthcheck"),
  ),
  one("health-interval", ["--health-cmd", "true", "--health-interval", "1us", "busybox", "true"]),
  one("health-retries", ["--health-cmd", "true", "--health-retries", "-1", "busybox", "true"]),
  one("no-healthcheck", ["--no-healthcheck", "busybox", "true"], { show: ["Config.Healthcheck", "State.Health"] }),
  one("no-healthcheck", ["--no-healthcheck", "--health-cmd", "true", "busybox", "true"]),
  one("log-driver", ["--log-driver", "none", "busybox", "echo", "said"], { ...host("LogConfig"), after: [["logs", "{n}"]] }),
  one("log-driver", ["--log-driver", "nothing", "busybox", "true"]),
  one("log-opt", ["--log-opt", "max-size=1m", "--log-opt", "max-file=2", "busybox", "echo", "said"], host("LogConfig")),
  one("log-opt", ["--log-opt", "nonsense=1", "busybox", "true"]),
  one("log-opt", ["--log-opt", "max-size=x", "busybox", "true"], {
    ours: { reason: "said at create, before there is a container", err: /invalid size: 'x'/ },
  }),
];

/** What they do depends on the controllers that the machine gives to cgroup v2. */
export const limitCases: readonly FlagCase[] = limits.filter(({ flags }) => !flags.includes("shm-size"));

export const flagCases: readonly FlagCase[] = [...process, ...security, ...limits, ...files, ...networks, ...upkeep];

/** Known to the CLI and hidden from its help by a Linux engine: refused by name. */
export const windowsFlags: readonly (readonly [flag: string, value: string])[] = [
  ["--cpu-count", "2"],
  ["--cpu-percent", "50"],
  ["--io-maxbandwidth", "1m"],
  ["--io-maxiops", "100"],
];
