import { type ApiCase, type Step, looping, sh, sleeper, start, state, stop } from "./container-api.case.ts";

const policy = (Name: string): Readonly<Record<string, unknown>> => ({ HostConfig: { RestartPolicy: { Name } } });
const loop = (trap: string): { Cmd: readonly string[] } => sh(`${trap}; while :; do sleep 0.1; done`);
const post = (path: string): Step => ({ call: `POST /containers/{n}/${path}` });
const inspected = (...fields: readonly string[]): Step => ({ call: "GET /containers/{n}/json", show: fields });
const waited: Step = { call: "POST /containers/{n}/wait", show: ["StatusCode"] };
const restarted = (count: number): Step => ({ ...inspected("RestartCount"), until: count });
/** Six failures in a row: the next restart is seconds away. */
const waiting: readonly Step[] = [start, restarted(6), { ...inspected("State.Status"), until: "restarting" }];
const failing = { ...sh("exit 1"), ...policy("always") };
const ended: Step = { ...inspected("State.Status"), until: "exited" };

/** Signals by hand, to those that run, that are paused, and that wait for their restart. */
export const kills: readonly ApiCase[] = [
  ...["always", "unless-stopped"].map(
    (name): ApiCase => ({
      name: `any signal ends ${name} where no stop signal is set`,
      make: { ...loop("trap 'exit 7' HUP"), ...policy(name) },
      steps: [start, looping, post("kill?signal=HUP"), waited, inspected("State.Status", "RestartCount")],
    }),
  ),
  ...["always", "on-failure"].map(
    (name): ApiCase => ({
      name: `another signal than the stop signal does not end ${name}`,
      make: { ...loop("trap 'exit 7' USR1"), StopSignal: "USR2", ...policy(name) },
      steps: [start, looping, post("kill?signal=USR1"), restarted(1), stop],
    }),
  ),
  {
    name: "any signal ends unless-stopped",
    make: { ...loop("trap 'exit 7' USR1"), StopSignal: "USR2", ...policy("unless-stopped") },
    steps: [start, looping, post("kill?signal=USR1"), waited, inspected("State.Status", "RestartCount")],
  },
  {
    name: "a signal thaws a paused one",
    make: loop("trap 'exit 7' HUP"),
    steps: [start, looping, post("pause"), post("kill?signal=HUP"), waited, state("Status", "Paused", "ExitCode")],
  },
  {
    name: "another signal than the stop signal waits for the thaw",
    make: { ...loop("trap 'exit 7' USR1"), StopSignal: "USR2" },
    steps: [start, looping, post("pause"), post("kill?signal=USR1"), state("Status", "Paused"), post("unpause"), waited, state("Status", "ExitCode")],
  },
  {
    name: "stop of a paused one is obeyed",
    make: loop("trap 'exit 7' TERM"),
    steps: [start, looping, post("pause"), post("stop"), state("Status", "Paused", "ExitCode")],
  },
  {
    name: "restart of a paused one",
    make: loop("trap 'exit 7' TERM"),
    steps: [start, looping, post("pause"), post("restart"), inspected("State.Status", "State.Paused", "RestartCount")],
  },
  { name: "restart of a created one", make: sleeper, steps: [post("restart?t=0"), inspected("State.Status", "RestartCount")] },
  { name: "restart of one that waits for its restart", make: failing, steps: [...waiting, post("restart"), restarted(2), stop] },
  { name: "start of one that waits for its restart", make: failing, steps: [...waiting, start, stop, start, restarted(1), stop] },
  { name: "kill of one that waits for its restart", make: failing, steps: [...waiting, post("kill"), ended] },
  { name: "any signal to one that waits for its restart", make: failing, steps: [...waiting, post("kill?signal=HUP"), ended] },
  {
    name: "pause, exec and top of one that waits for its restart",
    make: failing,
    steps: [
      ...waiting,
      post("pause"),
      { call: "POST /containers/{n}/exec", body: { Cmd: ["true"] } },
      { call: "GET /containers/{n}/top" },
      { call: "GET /containers/{n}/stats?stream=0&one-shot=1", show: ["read", "name"] },
      { call: "DELETE /containers/{n}" },
      stop,
      { call: "DELETE /containers/{n}" },
    ],
  },
  {
    name: "a policy taken from one that waits for its restart",
    make: failing,
    steps: [...waiting, { call: "POST /containers/{n}/update", body: { RestartPolicy: { Name: "no" } } }, ended, inspected("HostConfig.RestartPolicy")],
  },
  {
    name: "a policy given to one that runs",
    make: { ...loop("trap 'exit 7' USR1"), StopSignal: "USR2" },
    steps: [
      start,
      looping,
      { call: "POST /containers/{n}/update", body: { RestartPolicy: { Name: "always" } } },
      post("kill?signal=USR1"),
      restarted(1),
      { ...inspected("State.Status"), until: "running" },
      { call: "POST /containers/{n}/update", body: { RestartPolicy: { Name: "no" } } },
      looping,
      post("kill?signal=USR1"),
      waited,
      inspected("HostConfig.RestartPolicy"),
    ],
  },
  {
    name: "names and numbers of signals",
    make: loop("trap '' USR1 RTMAX RTMIN+3"),
    steps: [start, looping, ...["sigwinch", "28", "SIGRTMIN%2B3", "RTMAX", "-1", "64", "65", "9x"].map((signal) => post(`kill?signal=${signal}`))],
  },
  { name: "stop by SIGKILL has no patience to need", make: loop("trap '' TERM"), steps: [start, looping, post("stop?t=-5&signal=KILL"), state("ExitCode")] },
  { name: "a stop timeout of its own", make: { ...loop("trap '' TERM"), StopTimeout: 1 }, steps: [start, looping, post("stop"), state("ExitCode")] },
  { name: "a stop signal by number", make: { ...loop("trap 'exit 4' HUP"), StopSignal: "1" }, steps: [start, looping, post("stop"), state("ExitCode")] },
];
