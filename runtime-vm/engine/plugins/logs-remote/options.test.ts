import { expect, test } from "vitest";
import type { LogCache, ContainerLog } from "#core/logs/logs.ts";
import { createRemoteLogDrivers } from "./drivers.ts";

const unused = (): never => {
  throw new Error("nothing is opened here");
};
const cache: LogCache = {
  open: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() } as unknown as ContainerLog),
  remove: () => Promise.resolve(),
};
const drivers = createRemoteLogDrivers({ cache, kernel: { connectDatagram: unused }, hostPrefix: "/", report: unused });
const subject = { id: "1".repeat(64), name: "box", imageId: "", imageName: "", createdAt: "", command: [], env: [], labels: {} };

const udp = { "syslog-address": "udp://127.0.0.1:5514" };
const tcp = { "gelf-address": "tcp://127.0.0.1:1" };
const gelf = { "gelf-address": "udp://127.0.0.1:12201" };
const splunk = { "splunk-url": "http://127.0.0.1:1", "splunk-token": "t" };

test.each([
  ["syslog", { nope: "1" }, "unknown log opt 'nope' for syslog log driver"],
  ["syslog", { "syslog-address": "bad" }, "unsupported scheme: ''"],
  ["syslog", { "syslog-address": "http://x" }, "unsupported scheme: 'http'"],
  ["syslog", { "syslog-address": "unix:///nope" }, "stat /nope: no such file or directory"],
  ["syslog", { "syslog-address": "://" }, 'parse "://": missing protocol scheme'],
  ["syslog", { "syslog-address": "127.0.0.1:514" }, 'parse "127.0.0.1:514": first path segment in URL cannot contain colon'],
  ["syslog", { "syslog-address": "%zz" }, 'parse "%zz": invalid URL escape "%zz"'],
  ["syslog", { "syslog-address": "udp://127.0.0.1:abc" }, 'parse "udp://127.0.0.1:abc": invalid port ":abc" after host'],
  ["syslog", { "syslog-address": "udp://[::1" }, `parse "udp://[::1": missing ']' in host`],
  ["syslog", { "syslog-address": "tcp://127.0.0.1:1:2" }, "address 127.0.0.1:1:2: too many colons in address"],
  ["syslog", { "syslog-address": "unix:nope" }, "stat : no such file or directory"],
  ["syslog", { ...udp, "syslog-facility": "bad" }, "invalid syslog facility"],
  ["syslog", { ...udp, "syslog-facility": "99" }, "invalid syslog facility"],
  ["syslog", { ...udp, "syslog-format": "bad" }, "Invalid syslog format"],
  ["syslog", { ...udp, "cache-disabled": "x" }, "invalid value for option cache-disabled: x"],
  ["syslog", { ...udp, mode: "odd" }, "logger: logging mode not supported: odd"],
  ["syslog", { ...udp, tag: "{{.Bad}}" }, "can't evaluate field Bad in type *logger.Info"],
  ["journald", { nope: "1" }, "unknown log opt 'nope' for journald log driver"],
  ["fluentd", { nope: "1" }, "unknown log opt 'nope' for fluentd log driver"],
  ["fluentd", { "fluentd-async-connect": "true" }, "unknown log opt 'fluentd-async-connect' for fluentd log driver"],
  ["fluentd", { "fluentd-address": "bad address" }, 'invalid fluentd-address (bad address): parse "tcp://bad address": invalid character " " in host name'],
  ["fluentd", { "fluentd-address": "http://x" }, "invalid fluentd-address (http://x): unsupported scheme: 'http'"],
  ["fluentd", { "fluentd-address": "unix://" }, "invalid fluentd-address (unix://): path is empty"],
  ["fluentd", { "fluentd-address": "tcp://127.0.0.1:1/x" }, "invalid fluentd-address (tcp://127.0.0.1:1/x): should not contain a path element"],
  [
    "fluentd",
    { "fluentd-address": "127.0.0.1:99999" },
    'invalid fluentd-address (127.0.0.1:99999): invalid port: strconv.ParseUint: parsing "99999": value out of range',
  ],
  ["fluentd", { "fluentd-async": "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
  ["fluentd", { "fluentd-buffer-limit": "x" }, "invalid size: 'x'"],
  ["fluentd", { "fluentd-retry-wait": "x" }, 'time: invalid duration "x"'],
  ["fluentd", { "fluentd-max-retries": "x" }, 'strconv.ParseUint: parsing "x": invalid syntax'],
  ["fluentd", { "fluentd-async-reconnect-interval": "x" }, 'invalid value for fluentd-async-reconnect-interval: time: invalid duration "x"'],
  ["fluentd", { "fluentd-async-reconnect-interval": "1ms" }, 'invalid value for fluentd-async-reconnect-interval: value ("1ms") must be between 100ms and 10s'],
  ["fluentd", { "fluentd-write-timeout": "x" }, 'invalid value for fluentd-write-timeout: value must be a duration: time: invalid duration "x"'],
  ["fluentd", { "fluentd-write-timeout": "-1s" }, "invalid value for fluentd-write-timeout: value must be a duration that is non-negative"],
  ["fluentd", { "fluentd-address": "unix:nope" }, 'invalid fluentd-address (unix:nope): parse "tcp://unix:nope": invalid port ":nope" after host'],
  ["gelf", { ...gelf, nope: "1" }, 'unknown log opt "nope" for gelf log driver'],
  ["gelf", { "gelf-address": "udp://127.0.0.1:abc" }, 'parse "udp://127.0.0.1:abc": invalid port ":abc" after host'],
  ["gelf", {}, "gelf-address is a required parameter"],
  ["gelf", { "gelf-address": "bad" }, "gelf: endpoint needs to be TCP or UDP"],
  ["gelf", { "gelf-address": "udp://127.0.0.1" }, "gelf: please provide gelf-address as proto://host:port"],
  ["gelf", { ...gelf, "gelf-compression-type": "x" }, 'unknown value "x" for log opt "gelf-compression-type" for gelf log driver'],
  ["gelf", { ...gelf, "gelf-compression-level": "10" }, 'unknown value "10" for log opt "gelf-compression-level" for gelf log driver'],
  ["gelf", { ...tcp, "gelf-compression-type": "gzip" }, "compression is only supported on UDP"],
  ["gelf", { ...tcp, "gelf-tcp-max-reconnect": "x" }, '"gelf-tcp-max-reconnect" must be a positive integer'],
  ["gelf", { ...gelf, "gelf-tcp-reconnect-delay": "1" }, '"gelf-tcp-reconnect-delay" is only valid for TCP'],
  ["splunk", {}, "splunk: splunk-url is expected"],
  ["splunk", { "splunk-url": "http://127.0.0.1:1" }, "splunk: splunk-token is expected"],
  ["splunk", { ...splunk, "splunk-url": "bad" }, "splunk: expected format scheme://dns_name_or_ip:port for splunk-url"],
  ["splunk", { ...splunk, "splunk-url": "http://127.0.0.1:1?q" }, "splunk: expected format scheme://dns_name_or_ip:port for splunk-url"],
  ["splunk", { ...splunk, "splunk-format": "x" }, "unknown format specified x, supported formats are inline, json and raw"],
  [
    "splunk",
    { ...splunk, "splunk-gzip": "true", "splunk-gzip-level": "11" },
    "not supported level '11' for splunk-gzip-level (supported values between -1 and 9)",
  ],
  ["splunk", { ...splunk, "splunk-insecureskipverify": "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
] as const)("%s refuses %o", async (driver, options, message) => {
  await expect(drivers[driver]?.open(subject, options as Record<string, string>)).rejects.toMatchObject({
    class: "invalidArgument",
    message: expect.stringContaining(message) as string,
  });
});

test.each([
  ["journald", {}, "journald is not enabled on this host"],
  [
    "syslog",
    { "syslog-address": "tcp+tls://127.0.0.1:1", "syslog-tls-ca-cert": "/nope" },
    'could not read CA certificate "/nope": open /nope: no such file or directory',
  ],
  ["splunk", { ...splunk, "splunk-capath": "/nope", "splunk-verify-connection": "false" }, "open /nope: no such file or directory"],
] as const)("%s with %o is understood, and cannot start", async (driver, options, message) => {
  const world = createRemoteLogDrivers({ cache, kernel: { connectDatagram: unused }, hostPrefix: "/nowhere", report: unused });
  const log = await world[driver]?.open(subject, options as Record<string, string>);
  await expect(log?.connect?.()).rejects.toThrow(message);
});
