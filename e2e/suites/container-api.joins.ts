import { type ApiCase, type Step, sleeper } from "./container-api.case.ts";

const peer = (act: string): Step => ({ call: `POST /containers/{n}-peer/${act}` });
const other = (act: string): Step => ({ call: `POST /containers/{n}-other/${act}` });
const modes: Step = { call: "GET /containers/{n}-other/json", show: ["HostConfig.NetworkMode", "HostConfig.PidMode", "HostConfig.IpcMode"] };
const created = (name: string, HostConfig: unknown): Step => ({
  call: `POST /containers/create?name=${name}`,
  body: { Image: "busybox", ...sleeper, HostConfig },
});
const removed = (...names: readonly string[]): readonly Step[] => names.map((name) => ({ call: `DELETE /containers/${name}?force=1` }));
const shareable = created("{n}-peer", { IpcMode: "shareable" });

/** Containers in the namespaces of others. */
export const joins: readonly ApiCase[] = [
  {
    name: "another's namespaces are joined whatever the other is called later",
    steps: [
      shareable,
      created("{n}-other", { NetworkMode: "container:{n}-peer", PidMode: "container:{n}-peer", IpcMode: "container:{n}-peer" }),
      modes,
      { call: "GET /containers/json?all=1&filters=%7B%22name%22%3A%5B%22{n}-other%22%5D%7D", show: ["0.HostConfig", "0.NetworkSettings"] },
      peer("rename?name={n}-moved"),
      other("start"),
      { call: "POST /containers/{n}-moved/start" },
      other("start"),
      { call: "GET /containers/{n}-other/json", show: ["State.Status", "NetworkSettings.Networks", "NetworkSettings.SandboxID"] },
      { call: "POST /containers/{n}-moved/stop?t=0" },
      { call: "GET /containers/{n}-other/json", show: ["State.Status"], until: "exited" },
      ...removed("{n}-other", "{n}-moved"),
    ],
  },
  ...["NetworkMode", "PidMode", "IpcMode"].flatMap((mode): readonly ApiCase[] => [
    {
      name: `the ${mode} of one that has ended`,
      steps: [
        shareable,
        peer("start"),
        peer("stop?t=0"),
        created("{n}-other", { [mode]: "container:{n}-peer" }),
        modes,
        other("start"),
        ...removed("{n}-other", "{n}-peer"),
      ],
    },
    {
      name: `the ${mode} of nobody`,
      steps: [created("{n}-other", { [mode]: "container:nobody" }), modes, other("start"), ...removed("{n}-other")],
    },
    {
      name: `the ${mode} of one that was removed`,
      steps: [
        shareable,
        created("{n}-other", { [mode]: "container:{n}-peer" }),
        ...removed("{n}-peer"),
        other("start"),
        { call: "GET /containers/{n}-other/json", show: ["State.Status", "State.ExitCode", "State.Error"] },
        ...removed("{n}-other"),
      ],
    },
  ]),
  {
    name: "the IPC namespace of one that keeps it",
    steps: [
      created("{n}-peer", {}),
      peer("start"),
      created("{n}-other", { IpcMode: "container:{n}-peer" }),
      modes,
      other("start"),
      ...removed("{n}-other", "{n}-peer"),
    ],
  },
  {
    name: "a failed start leaves the exit code of the last run",
    steps: [
      shareable,
      created("{n}-other", { NetworkMode: "container:{n}-peer" }),
      peer("start"),
      other("start"),
      other("stop?t=0"),
      ...removed("{n}-peer"),
      other("start"),
      { call: "GET /containers/{n}-other/json", show: ["State.Status", "State.ExitCode", "State.Error"] },
      ...removed("{n}-other"),
    ],
  },
];
