import { type ApiCase, type Step, sh, sleeper, start } from "./container-api.case.ts";

const post = (path: string): Step => ({ call: `POST /containers/{n}/${path}` });
const waited: Step = { call: "POST /containers/{n}/wait", show: ["StatusCode", "Error"] };
const exec = (body: unknown): ApiCase => ({
  name: `exec in one that runs, ${JSON.stringify(body)}`,
  make: sleeper,
  steps: [start, { call: "POST /containers/{n}/exec", body }],
});
const top = (args: string): ApiCase => ({
  name: `top ${args}`,
  make: sleeper,
  // What was just started may still have the runtime's name.
  steps: [
    start,
    { call: "GET /containers/{n}/top", show: ["Processes.0.7"], until: "sleep 600" },
    { call: `GET /containers/{n}/top?ps_args=${encodeURIComponent(args)}`, show: ["Titles", "Processes.length"] },
  ],
});
const pruned = (filters: object): Step => ({
  call: `POST /containers/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  show: ["ContainersDeleted", "SpaceReclaimed"],
});

/** What is done to containers by name, by exec, by ps and by prune. */
export const acts: readonly ApiCase[] = [
  {
    name: "names that are taken, and none",
    make: sleeper,
    steps: [
      { call: "POST /containers/create?name={n}-b", body: { Image: "busybox" } },
      post("rename?name={n}-b"),
      { call: "POST /containers/{n}-b/rename?name={n}" },
      post("rename?name=a/b"),
      post("rename?name=a%20b"),
      post("rename?name=x"),
      post("rename?name=/{n}-c"),
      { call: "GET /containers/{n}-c/json", show: ["Name"] },
      { call: "POST /containers/{n}-c/rename?name=/{n}" },
      { call: "DELETE /containers/{n}-b" },
    ],
  },
  { name: "why it did not start is told to who waits", make: { Cmd: ["no-such-command"] }, steps: [start, waited] },
  exec({ Cmd: ["true"], User: "nobody-here" }),
  exec({ Cmd: ["true"], User: "user" }),
  exec({ Cmd: ["true"], Env: ["=x"] }),
  exec({ Cmd: ["true"], ConsoleSize: [1] }),
  exec({ Cmd: ["true"], Privileged: true, WorkingDir: "relative" }),
  exec({ Cmd: null }),
  exec({ Cmd: [""] }),
  {
    name: "execs are shown until they have ended",
    make: sleeper,
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["ExecIDs"] },
      { call: "POST /containers/{n}/exec", body: { Cmd: ["true"] } },
      { call: "GET /containers/{n}/json", show: ["ExecIDs.length"] },
    ],
  },
  {
    name: "attach to a paused one, and with keys that are none",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/nobody/attach?detachKeys=nonsense-x&stream=1" },
      post("attach?detachKeys=nonsense-x&stream=1"),
      post("pause"),
      post("attach?stream=1&stdout=1"),
      { call: "GET /containers/{n}/attach/ws?stream=1" },
    ],
  },
  {
    name: "prune by label and time",
    make: { ...sh("echo x > /x"), Labels: { "pr.une": "{n}" } },
    steps: [
      start,
      waited,
      pruned({ label: ["pr.une=no"] }),
      pruned({ "label!": ["pr.une"], label: ["pr.une"] }),
      pruned({ label: ["pr.une"], until: ["2h"] }),
      pruned({ label: ["pr.une"] }),
    ],
  },
  { name: "prune one that never ran", make: { ...sleeper, Labels: { "pr.new": "" } }, steps: [pruned({ label: ["pr.new"] })] },
  {
    name: "prune leaves what runs",
    make: { ...sleeper, Labels: { "pr.runs": "" } },
    steps: [start, pruned({ label: ["pr.runs"] }), post("pause"), pruned({ label: ["pr.runs"] })],
  },
  ...["-ef", "aux", "-A", "-x", "axf", "-l", "-ely", "-F", "-j", "-L", "-Z", "l", "j", "-fly", "--forest", "-C sleep", "-p 1"].map(top),
  ...[
    "-eo pid,ppid,user,comm",
    "axo pid,cmd",
    "o pid,args",
    "-o pid:10,args:50",
    "-o pid -o comm",
    "-eo pid,etime,stat,ni,nlwp",
    "-eo pid,pgid,sid,uid,gid,group",
  ].map(top),
  ...["-o comm", "-o pid=PROC", "-o pid,nonsense", "-o", "-y"].map(top),
];
