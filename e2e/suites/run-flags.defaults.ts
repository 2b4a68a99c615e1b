import { type FlagCase, capabilities, one, sh } from "./run-flags.case.ts";

const mounts =
  "cut -d' ' -f5,6 /proc/self/mountinfo | sed 's/,relatime//; s/,strictatime//' | grep -E '^(/dev|/dev/(mqueue|pts|shm)|/proc|/proc/(bus|fs|irq|sys)|/sys|/sys/fs/cgroup) ' | sort";
const devices =
  "cd /dev; ls -l | tail -n +2 | grep -v ' core -> ' | sed 's/  */ /g' | cut -d' ' -f1,3,4,5- | sed 's/ [A-Z][a-z][a-z] .* \\([^ ]* -> .*\\)$/ \\1/; s/ [A-Z][a-z][a-z] [0-9]* [0-9:]* / /' | sed 's/^\\([dl][^ ]*\\) root root [0-9]* /\\1 /' | sort";
/** Names those that hold something. */
const masked =
  "for p in /proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware " +
  '/sys/devices/virtual/powercap; do if test -d $p; then test -z "$(ls $p)" || echo $p; elif test -e $p; then test -z "$(head -c 1 $p)" || echo $p; fi; done';
const readonly =
  'for p in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do grep -q " $p ro" /proc/self/mountinfo && echo $p; done; touch /sys/x 2>&1; touch /sys/fs/cgroup/x 2>&1';
const limits = "grep -E 'core file|open files' /proc/self/limits | sed 's/  */ /g'";
const forbidden =
  "mknod /tmp/d b 8 0 && head -c 1 /tmp/d 2>&1; mknod /tmp/tun c 10 200 && head -c 1 /tmp/tun 2>&1; unshare -m true 2>&1; mount -t tmpfs none /tmp 2>&1; chroot / true && echo chroot";

/** What a container has that asks for nothing. */
export const defaultsCases: readonly FlagCase[] = [
  one("name", sh(capabilities)),
  one("name", ["--user", "1000", ...sh(capabilities)]),
  one("name", sh(mounts)),
  one("name", sh(devices)),
  one("name", sh(masked)),
  one("name", sh(readonly)),
  one("name", sh(limits)),
  one("name", sh(forbidden)),
  one("name", sh("env | sed 's/HOSTNAME=.*/HOSTNAME/' | sort; umask; cat /proc/self/oom_score_adj; pwd; id")),
  one(
    "name",
    sh(
      "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range; cat /proc/self/cgroup; cat /proc/self/uid_map; test -e /.dockerenv && echo dockerenv",
    ),
  ),
  one(
    "name",
    sh(
      "df -k /dev /dev/shm | tail -n +2 | tr -s ' ' | cut -d' ' -f2,6; grep ' /dev ' /proc/self/mountinfo | grep -o 'mode=[0-9]*'; grep ' /dev/pts ' /proc/self/mountinfo | grep -oE '(gid|mode|ptmxmode)=[0-9]*'",
    ),
  ),
  one("name", sh("cat /etc/hosts | head -6; wc -l < /etc/hosts; test $(cat /etc/hostname) = $(hostname) && echo same")),
];
