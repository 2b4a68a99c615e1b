import { type ApiCase, looping, sh, sleeper, start, state, stop } from "./container-api.case.ts";

export const lives: readonly ApiCase[] = [
  {
    name: "created, running, paused, exited",
    make: { Cmd: ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"] },
    steps: [
      state("Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead", "Pid", "ExitCode", "Error", "StartedAt", "FinishedAt"),
      start,
      looping,
      state("Status", "Running", "Paused", "ExitCode", "FinishedAt"),
      { call: "POST /containers/{n}/pause" },
      state("Status", "Running", "Paused"),
      { call: "POST /containers/{n}/pause" },
      { call: "POST /containers/{n}/start" },
      { call: "POST /containers/{n}/exec", body: { Cmd: ["true"] } },
      { call: "GET /containers/json?filters=%7B%22status%22%3A%5B%22paused%22%5D%7D", show: ["0.State"] },
      { call: "POST /containers/{n}/unpause" },
      { call: "POST /containers/{n}/unpause" },
      { call: "POST /containers/{n}/stop" },
      state("Status", "Running", "Pid", "ExitCode", "OOMKilled", "Error"),
      { call: "POST /containers/{n}/stop" },
    ],
  },
  {
    name: "a stop that is not obeyed ends in 137",
    make: sh("trap '' TERM; while :; do sleep 0.1; done"),
    steps: [start, { call: "POST /containers/{n}/stop?t=1" }, state("Status", "ExitCode", "OOMKilled")],
  },
  {
    name: "a stop signal of one's own",
    make: { ...sh("trap 'exit 9' USR2; while :; do sleep 0.1; done"), StopSignal: "USR2" },
    steps: [start, looping, { call: "POST /containers/{n}/stop" }, state("ExitCode")],
  },
  {
    name: "a stop by another signal",
    make: sh("trap 'exit 8' HUP; while :; do sleep 0.1; done"),
    steps: [start, looping, { call: "POST /containers/{n}/stop?signal=HUP" }, state("ExitCode")],
  },
  {
    name: "kill",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/{n}/kill" },
      state("Status", "ExitCode", "OOMKilled"),
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
    ],
  },
  {
    name: "a command that is not there",
    make: { Cmd: ["no-such-command"] },
    steps: [start, state("Status", "ExitCode", "Error", "StartedAt"), { call: "POST /containers/{n}/wait", show: ["StatusCode"] }],
  },
  { name: "a command that is no program", make: { Cmd: ["/etc"] }, steps: [start, state("Status", "ExitCode", "Error")] },
  { name: "every exit code", make: sh("exit 255"), steps: [start, { call: "POST /containers/{n}/wait", show: ["StatusCode"] }, state("Status", "ExitCode")] },
  {
    name: "wait for what has been",
    make: sh("exit 4"),
    steps: [
      start,
      { call: "POST /containers/{n}/wait?condition=not-running", show: ["StatusCode"] },
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
    ],
  },
  { name: "wait for one that never ran", make: sleeper, steps: [{ call: "POST /containers/{n}/wait?condition=not-running", show: ["StatusCode"] }] },
  {
    name: "on-failure gives up after its count",
    make: { ...sh("exit 5"), HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Status"], until: "exited" },
      { call: "GET /containers/{n}/json", show: ["RestartCount", "State.ExitCode", "State.Restarting"] },
    ],
  },
  {
    name: "on-failure leaves success alone",
    make: { Cmd: ["true"], HostConfig: { RestartPolicy: { Name: "on-failure" } } },
    steps: [start, { call: "POST /containers/{n}/wait", show: ["StatusCode"] }, { call: "GET /containers/{n}/json", show: ["RestartCount", "State.Status"] }],
  },
  {
    name: "always comes back until it is stopped by hand",
    make: { ...sh("exit 1"), HostConfig: { RestartPolicy: { Name: "always" } } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["RestartCount"], until: 2 },
      { call: "GET /containers/{n}/json", show: ["State.Status"], until: "restarting" },
      state("Running", "Restarting"),
      stop,
      state("Status", "Running", "Restarting"),
    ],
  },
  {
    name: "unless-stopped obeys kill",
    make: { ...sleeper, HostConfig: { RestartPolicy: { Name: "unless-stopped" } } },
    steps: [
      start,
      { call: "POST /containers/{n}/kill" },
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
      state("Status"),
      { call: "GET /containers/{n}/json", show: ["RestartCount"] },
    ],
  },
  {
    name: "healthy, and unhealthy once it ends",
    make: { ...sleeper, Healthcheck: { Test: ["CMD-SHELL", "echo fine"], Interval: 200_000_000 } },
    steps: [
      { call: "GET /containers/{n}/json", show: ["State.Health"] },
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "healthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.FailingStreak", "State.Health.Log.0.ExitCode", "State.Health.Log.0.Output"] },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.length"], until: 5 },
      { call: "GET /containers/json?filters=%7B%22health%22%3A%5B%22healthy%22%5D%7D", show: ["0.State"] },
      stop,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status", "State.Health.Log.length"] },
    ],
  },
  {
    name: "unhealthy after its retries",
    make: { ...sleeper, Healthcheck: { Test: ["CMD-SHELL", "echo bad; exit 3"], Interval: 100_000_000, Retries: 2 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "unhealthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.0.ExitCode", "State.Health.Log.0.Output"] },
    ],
  },
  {
    name: "a check that takes too long",
    make: { ...sleeper, Healthcheck: { Test: ["CMD", "sleep", "60"], Interval: 100_000_000, Timeout: 200_000_000, Retries: 1 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "unhealthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.0.ExitCode", "State.Health.Log.0.Output"] },
    ],
  },
  {
    name: "a check that cannot run",
    make: { ...sleeper, Healthcheck: { Test: ["CMD", "no-such-check"], Interval: 100_000_000, Retries: 1 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "unhealthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.0.ExitCode"] },
    ],
  },
  {
    name: "failures in the start period do not count",
    make: { ...sleeper, Healthcheck: { Test: ["CMD", "false"], Interval: 100_000_000, StartPeriod: 600_000_000_000, StartInterval: 100_000_000, Retries: 1 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.length"], until: 3 },
      { call: "GET /containers/{n}/json", show: ["State.Health.Status", "State.Health.FailingStreak"] },
    ],
  },
  {
    name: "HEALTHCHECK NONE",
    make: { ...sleeper, Healthcheck: { Test: ["NONE"] } },
    steps: [start, { call: "GET /containers/{n}/json", show: ["State.Health", "Config.Healthcheck"] }],
  },
  {
    name: "rename while it runs",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/{n}/rename?name={n}-other" },
      { call: "GET /containers/{n}-other/json", show: ["Name"] },
      { call: "GET /containers/{n}/json" },
      { call: "POST /containers/{n}-other/rename?name={n}" },
    ],
  },
  {
    name: "top",
    make: sleeper,
    steps: [
      start,
      { call: "GET /containers/{n}/top", show: ["Processes.0.7", "Titles", "Processes.length"], until: "sleep 600" },
      { call: "GET /containers/{n}/top?ps_args=-o%20pid,comm", show: ["Titles", "Processes.0.1"] },
      { call: "GET /containers/{n}/top?ps_args=aux", show: ["Titles", "Processes.0.10"] },
    ],
  },
  {
    name: "removal of a running one",
    make: sleeper,
    steps: [
      start,
      { call: "DELETE /containers/{n}" },
      { call: "DELETE /containers/{n}?force=1" },
      { call: "GET /containers/{n}/json" },
      { call: "DELETE /containers/{n}" },
    ],
  },
  {
    name: "removal of a paused one",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/{n}/pause" },
      { call: "DELETE /containers/{n}" },
      { call: "POST /containers/{n}/kill" },
      { call: "GET /containers/{n}/json", show: ["State.Status"], until: "exited" },
    ],
  },
  {
    name: "list shows it as inspect does",
    make: { ...sleeper, Labels: { a: "b" } },
    steps: [
      start,
      {
        call: "GET /containers/json?filters=%7B%22name%22%3A%5B%22%5E/{n}%24%22%5D%7D",
        show: ["length", "0.Names", "0.Image", "0.Command", "0.Ports", "0.Labels", "0.State", "0.HostConfig", "0.Mounts", "0.SizeRw"],
      },
    ],
  },
  {
    name: "an image mounted as a whole",
    make: { ...sh("ls /whole/bin/sh && ! touch /whole/x"), HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/whole" }] } },
    steps: [
      start,
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
      { call: "GET /containers/{n}/json", show: ["HostConfig.Mounts", "Mounts.0.Type", "Mounts.0.Name", "Mounts.0.RW", "Mounts.0.Propagation"] },
    ],
  },
  {
    name: "a part of an image mounted",
    make: { ...sh("cat /part/index.html"), HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/part", ImageOptions: { Subpath: "www" } }] } },
    steps: [start, { call: "POST /containers/{n}/wait", show: ["StatusCode"] }],
  },
  {
    name: "a part that an image does not have",
    make: { Cmd: ["true"], HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/part", ImageOptions: { Subpath: "none" } }] } },
    steps: [start, state("Status", "ExitCode")],
  },
];
