import { type FlagCase, config, host, one, sh } from "./run-flags.case.ts";

export const upkeepCases: readonly FlagCase[] = [
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
