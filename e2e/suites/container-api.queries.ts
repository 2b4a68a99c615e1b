import { type ApiCase, sleeper, start, state } from "./container-api.case.ts";

/** Ours refuse with reason what dockerd takes, or what it words by the program it asks. */
const refusedByUs: Readonly<Record<string, string>> = {
  "POST /containers/{n}/resize?h=70000&w=1": "no terminal has so many lines",
  "GET /containers/{n}/top?ps_args=nonsense": "the words are those of the ps(1) that dockerd runs",
  "GET /containers/{n}/logs?stdout=1&since=x": "dockerd names no parameter",
};

function ofRunning(call: string): ApiCase {
  const reason = refusedByUs[call];
  const one = { name: `${call} of a running one`, make: sleeper, steps: [start, { call }, state("Status")] };
  return reason === undefined ? one : { ...one, ours: { reason, statuses: [204, 400, 200] } };
}

export const queries: readonly ApiCase[] = [
  ...[
    "POST /containers/{n}/stop?t=x",
    "POST /containers/{n}/stop?signal=NOTHING",
    "POST /containers/{n}/restart?t=x",
    "POST /containers/{n}/restart?signal=NOTHING",
    "POST /containers/{n}/kill?signal=NOTHING",
    "POST /containers/{n}/kill?signal=0",
    "POST /containers/{n}/kill?signal=99",
    "POST /containers/{n}/wait?condition=nonsense",
    "POST /containers/{n}/resize",
    "POST /containers/{n}/resize?h=1&w=x",
    "POST /containers/{n}/resize?h=70000&w=1",
    "POST /containers/{n}/rename",
    "POST /containers/{n}/rename?name=-x",
    "POST /containers/{n}/rename?name={n}",
    "GET /containers/{n}/top?ps_args=nonsense",
    "GET /containers/{n}/logs",
    "GET /containers/{n}/logs?stdout=1&tail=x",
    "GET /containers/{n}/logs?stdout=1&since=x",
    "DELETE /containers/{n}",
    "DELETE /containers/{n}?link=1",
    "POST /containers/{n}/pause?x=1",
    "POST /containers/{n}/start",
  ].map(ofRunning),
  ...["stop", "restart?t=0", "kill", "pause", "unpause", "resize?h=1&w=1", "rename?name=x", "update", "exec", "wait", "attach"].map(
    (path): ApiCase => ({
      name: `POST ${path} of nobody`,
      steps: [{ call: `POST /containers/nobody-here/${path}`, body: { Cmd: ["true"] } }],
    }),
  ),
  ...["stop", "kill", "pause", "unpause", "resize?h=1&w=1", "exec"].map(
    (path): ApiCase => ({
      name: `POST ${path} of a created one`,
      make: sleeper,
      steps: [{ call: `POST /containers/{n}/${path}`, body: { Cmd: ["true"] } }, state("Status", "ExitCode")],
    }),
  ),
  ...["top", "stats?stream=0&one-shot=1", "logs?stdout=1"].map(
    (path): ApiCase => ({ name: `GET ${path} of a created one`, make: sleeper, steps: [{ call: `GET /containers/{n}/${path}` }] }),
  ),
  ...[
    '{"nonsense":["x"]}',
    '{"status":["nonsense"]}',
    '{"health":["nonsense"]}',
    '{"exited":["x"]}',
    '{"is-task":["x"]}',
    '{"before":["nobody"]}',
    '{"since":["nobody"]}',
    '{"publish":["x"]}',
    '{"expose":["99999"]}',
    '{"isolation":["hyperv"]}',
    '{"ancestor":["nobody"]}',
    '{"network":["nobody"]}',
    '{"volume":["nobody"]}',
    "nonsense",
    '["x"]',
  ].map((filters): ApiCase => ({ name: `list with ${filters}`, steps: [{ call: `GET /containers/json?filters=${encodeURIComponent(filters)}` }] })),
  ...["limit=x", "limit=-1", "all=nonsense"].map((query): ApiCase => ({ name: `list with ${query}`, steps: [{ call: `GET /containers/json?${query}` }] })),
  ...['{"nonsense":["x"]}', '{"until":["x"]}', '{"until":["1h","2h"]}', '{"label":["none=such"]}', '{"until":["100000h"]}'].map(
    (filters): ApiCase => ({
      name: `prune with ${filters}`,
      steps: [{ call: `POST /containers/prune?filters=${encodeURIComponent(filters)}`, show: ["ContainersDeleted", "SpaceReclaimed"] }],
    }),
  ),
  ...[
    { RestartPolicy: { Name: "nonsense" } },
    { RestartPolicy: { Name: "always", MaximumRetryCount: 1 } },
    { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } },
    { Memory: 5 },
    { Memory: "x" },
    { NanoCpus: -1 },
    { BlkioWeight: "x" },
    {},
  ].map(
    (body): ApiCase => ({
      name: `update ${JSON.stringify(body)}`,
      make: sleeper,
      steps: [
        start,
        { call: "POST /containers/{n}/update", body, show: ["Warnings"] },
        { call: "GET /containers/{n}/json", show: ["HostConfig.RestartPolicy"] },
      ],
    }),
  ),
  {
    name: "update to fewer shares than none",
    make: sleeper,
    steps: [start, { call: "POST /containers/{n}/update", body: { CpuShares: -1 } }],
    ours: { reason: "dockerd lets the kernel refuse it", statuses: [204, 400] },
  },
  {
    name: "update a policy of one that removes itself",
    make: { ...sleeper, HostConfig: { AutoRemove: true } },
    steps: [{ call: "POST /containers/{n}/update", body: { RestartPolicy: { Name: "always" } } }],
  },
  ...[{}, { Cmd: [] }, { Cmd: ["true"], DetachKeys: "nonsense-x" }, { Cmd: 5 }, { Cmd: ["true"], Env: "x" }].map(
    (body): ApiCase => ({
      name: `exec ${JSON.stringify(body)}`,
      make: sleeper,
      steps: [start, { call: "POST /containers/{n}/exec", body }],
    }),
  ),
];
