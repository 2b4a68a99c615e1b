import { type FlagCase, config, host, network, one, peer, sh } from "./run-flags.case.ts";

export const networksCases: readonly FlagCase[] = [
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
  one("link", ["--link", "{n}-ports:al", ...sh("env | grep -E '^AL_' | sed 's/172.17.0.[0-9]*/<ip>/' | sort")], {
    before: [["run", "-d", "--name", "{n}-ports", "--expose", "7000-7002", "--expose", "80/udp", "--expose", "9/tcp", "busybox", "sleep", "600"]],
    after: [["rm", "-f", "{n}-ports"]],
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
