import { type ApiCase, type Step, sleeper, start } from "./container-api.case.ts";

const status: Step = { call: "GET /containers/{n}/json", show: ["State.Status"] };
const noTimes = ["since=x", "until=x", "since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z"];
const platforms = ["linux/amd64", "linux", "linux/arm64", "windows/amd64", "nonsense/x/y/z", ""];

/** Parameters of the endpoints that no other table asks about. */
export const rest: readonly ApiCase[] = [
  {
    name: "inspect and list with sizes",
    make: sleeper,
    steps: ["size=1", "size=true", "size=0", "size=nonsense", ""].flatMap((query): readonly Step[] => [
      { call: `GET /containers/{n}/json?${query}`, show: ["SizeRw"] },
      { call: `GET /containers/json?all=1&${query}&filters=%7B%22name%22%3A%5B%22{n}%22%5D%7D`, show: ["0.SizeRw", "0.State"] },
    ]),
  },
  ...["v=1", "v=0", "force=nonsense", "force=1&v=1&link=0"].map(
    (query): ApiCase => ({
      name: `removal with ${query}`,
      make: { ...sleeper, Volumes: { "/v": {} } },
      steps: [{ call: `DELETE /containers/{n}?${query}` }, { call: "GET /containers/{n}/json" }],
    }),
  ),
  {
    name: "removal of a link that is the container itself",
    make: sleeper,
    steps: [{ call: "DELETE /containers/{n}?link=1&v=1" }, { call: "DELETE /containers/{n}-none?link=1" }, status],
  },
  {
    name: "numbers past 64 bits, and a signal that is none for one that does not run",
    make: sleeper,
    steps: [
      { call: "GET /containers/json?limit=99999999999999999999" },
      { call: "POST /containers/{n}/stop?t=99999999999999999999" },
      { call: "POST /containers/{n}/stop?signal=NOTHING" },
    ],
  },
  {
    name: "figures of one that never ran",
    make: sleeper,
    steps: ["stream=0", "stream=0&one-shot=1", "stream=false&one-shot=true", "stream=0&one-shot=0", "stream=1&one-shot=1", "one-shot=1"].map((query) => ({
      call: `GET /containers/{n}/stats?${query}`,
      show: ["name", "os_type", "num_procs", "preread", "networks"],
    })),
  },
  {
    name: "figures of one that runs",
    make: sleeper,
    steps: [
      start,
      ...["stream=0", "stream=0&one-shot=1"].map((query) => ({
        call: `GET /containers/{n}/stats?${query}`,
        show: ["name", "os_type", "pids_stats.current", "networks.eth0.rx_errors", "storage_stats"],
      })),
    ],
  },
  {
    name: "events by every parameter",
    steps: [
      ...["since=5&until=1", "since=-1&until=1", "since=5&until=0", "until=0", "until=1", "since=1.5&until=2"],
      ...["filters=x&until=1", "filters=%7B%22nonsense%22:%5B%22x%22%5D%7D&until=1", "filters=%5B%22x%22%5D&until=1"],
    ].map((query) => ({ call: `GET /events?${query}` })),
  },
  {
    name: "events by what is no time",
    steps: noTimes.map((query) => ({ call: `GET /events?${query}` })),
    ours: { reason: "a time that is none is the client's fault, and the parameter is named", statuses: noTimes.map(() => 400) },
  },
  {
    name: "disk usage by type",
    steps: ["type=container", "type=image&type=volume", "type=build-cache", "type=nonsense", "type=", "verbose=1"].map((query) => ({
      call: `GET /system/df?${query}`,
      show: ["Containers.none", "Images.none", "Volumes.none", "BuildCache.none"],
    })),
  },
  {
    name: "create by platform",
    steps: platforms.flatMap((platform): readonly Step[] => [
      { call: `POST /containers/create?name={n}&platform=${platform}`, body: { Image: "busybox" }, show: ["Warnings"] },
      { call: "GET /containers/{n}/json", show: ["Platform", "ImageManifestDescriptor.platform"] },
      { call: "DELETE /containers/{n}" },
    ]),
  },
  ...["detachKeys=nonsense-x", "detachKeys=ctrl-a,b", "checkpoint=x", "nonsense=1"].map(
    (query): ApiCase => ({ name: `start with ${query}`, make: sleeper, steps: [{ call: `POST /containers/{n}/start?${query}` }, status] }),
  ),
  {
    name: "start with a body",
    make: sleeper,
    steps: [{ call: "POST /containers/{n}/start", body: { Binds: ["/tmp:/x"] } }, status, { call: "POST /containers/{n}/start", body: {} }, status],
  },
];
