import { type ApiCase, type Step, sh, sleeper, start, stop } from "./container-api.case.ts";

const talker = sh("echo out; echo err >&2; echo more");
/** Which of two streams was first is chance, and tail counts the lines of both. */
const counter = sh("echo one; echo two; echo three");
const ended: Step = { call: "POST /containers/{n}/wait", show: ["StatusCode"] };
const logs = (query: string): Step => ({ call: `GET /containers/{n}/logs?${query}`, output: true });
const attach = (query: string): Step => ({ call: `POST /containers/{n}/attach?${query}`, output: true });
const afterwards = (name: string, steps: readonly Step[], more: object = {}): ApiCase => ({
  name,
  make: { ...talker, ...more },
  steps: [start, ended, ...steps],
});

const times = ["0", "1", "1.5", "4000000000", "2000000000.000000001", "-1", "", "1.1234567891"];
const noTimes = ["2020-01-01T00:00:00Z", "1h", ".5", "1e3", "x"];
const noTime: Pick<ApiCase, "ours"> = {
  ours: { reason: "a time that is none is the client's fault, and the parameter is named", statuses: noTimes.flatMap(() => [400, 400]) },
};
const everyTime = (values: readonly string[]): readonly string[] => values.flatMap((time) => [`stdout=1&since=${time}`, `stdout=1&until=${time}`]);

const exec = (body: object): Step => ({ call: "POST /containers/{n}/exec", body, keep: true });
const begun = (body: object = {}): Step => ({ call: "POST /exec/{e}/start", body });
const heard = (body: object = {}): Step => ({ ...begun(body), output: true });
const done = (...show: readonly string[]): Step => ({ call: "GET /exec/{e}/json", show: ["Running", ...show], until: false });

/** What streams out of containers and execs, by every parameter. */
export const outputs: readonly ApiCase[] = [
  afterwards(
    "logs by stream",
    ["stdout=1", "stderr=1", "stdout=1&stderr=1", "stdout=true&stderr=0", "stdout=0&stderr=false", "stdout=nonsense", "follow=1&stdout=1&stderr=1"].map(logs),
  ),
  afterwards(
    "logs by tail",
    ["0", "1", "2", "all", "-1", "", "99999999999999999999", "1.5", "0x1"].map((tail) => logs(`stdout=1&tail=${tail}`)),
    counter,
  ),
  afterwards(
    "logs by time",
    [...everyTime(times), "stdout=1&since=4000000000&until=1", "stdout=1&follow=1&until=4000000000", "stdout=1&follow=1&tail=0"].map(logs),
  ),
  { name: "logs by what is no time", make: sleeper, steps: everyTime(noTimes).map(logs), ...noTime },
  afterwards(
    "logs with details",
    [...["1", "true", "0", "no", "nonsense"].map((details) => `stdout=1&details=${details}`), "stdout=1&details=1&timestamps=1", "stdout=1&timestamps=1"].map(
      logs,
    ),
    { Labels: { a: "b" }, Env: ["V=w"], HostConfig: { LogConfig: { Type: "json-file", Config: { labels: "a", env: "V" } } } },
  ),
  afterwards("logs of one with a terminal", ["stdout=1&stderr=1", "stderr=1", "stdout=1&tail=1"].map(logs), { ...counter, Tty: true }),
  afterwards("logs of one that logs nothing", [logs("stdout=1")], { HostConfig: { LogConfig: { Type: "none" } } }),
  afterwards("logs of the local driver", ["stdout=1&stderr=1", "stdout=1&tail=2", "stdout=1&details=1"].map(logs), {
    ...counter,
    HostConfig: { LogConfig: { Type: "local" } },
  }),
  afterwards("logs over two runs", [start, ended, logs("stdout=1"), logs("stdout=1&tail=4")], counter),
  afterwards(
    "attach to one that has ended",
    [
      ...["logs=1&stdout=1&stderr=1", "logs=1&stdout=1", "logs=1&stderr=1", "logs=1", "logs=true&stdout=true&stream=0", "stdout=1&stderr=1", ""],
      ...["stream=1", "stream=1&stdin=1", "detachKeys=a&logs=1&stdout=1", "detachKeys=ctrl-&stream=1"],
    ].map(attach),
  ),
  { name: "attach to one that never ran", make: sleeper, steps: [attach("logs=1&stdout=1"), attach("stdout=1&stderr=1")] },
  {
    name: "exec and all it shows",
    make: { ...sleeper, User: "1000", WorkingDir: "/tmp", Env: ["A=b"] },
    steps: [
      start,
      exec({ Cmd: ["sh", "-c", "id -u; echo err >&2; exit 7"], AttachStdout: true, AttachStderr: true }),
      { call: "GET /exec/{e}/json", show: ["Running", "ExitCode", "Pid", "OpenStdin", "OpenStdout", "OpenStderr", "CanRemove", "DetachKeys", "ProcessConfig"] },
      heard(),
      done("ExitCode", "OpenStdin", "OpenStdout", "OpenStderr", "ProcessConfig"),
      heard(),
      begun({ Detach: true }),
    ],
  },
  {
    name: "exec as another, elsewhere, with a variable more",
    make: { ...sleeper, Env: ["A=b"] },
    steps: [
      start,
      exec({ Cmd: ["sh", "-c", "id -u; id -g; pwd; echo $A $C"], User: "5:6", WorkingDir: "/usr", Env: ["C=d", "A=x"], AttachStdout: true }),
      heard(),
      done("ExitCode", "ProcessConfig.user"),
      exec({ Cmd: ["grep", "NoNewPrivs", "/proc/self/status"], Privileged: true, AttachStdout: true }),
      heard(),
      done("ProcessConfig.privileged"),
    ],
  },
  {
    name: "exec by stream",
    make: sleeper,
    steps: [
      start,
      ...[{ AttachStdout: true }, { AttachStderr: true }, {}, { AttachStdout: true, Tty: true }].flatMap((streams) => [
        exec({ Cmd: ["sh", "-c", "echo out; echo err >&2"], ...streams }),
        heard(),
        done("ExitCode"),
      ]),
      exec({ Cmd: ["echo", "out"], AttachStdout: true, Tty: true }),
      heard({ Tty: true }),
    ],
  },
  {
    name: "the ways to start an exec",
    make: sleeper,
    steps: [
      start,
      ...[
        { Detach: true },
        { Detach: true, Tty: true },
        { Tty: true },
        { Detach: "x" },
        { ConsoleSize: [1] },
        { ConsoleSize: [20, 30], Tty: true },
        { Tty: true, ConsoleSize: [0, 0] },
      ].flatMap((body) => [exec({ Cmd: ["true"], AttachStdout: true }), begun(body)]),
    ],
  },
  {
    name: "execs that cannot run",
    make: sleeper,
    steps: [start, ...[{ Cmd: ["no-such-command"] }, { Cmd: ["/etc"] }].flatMap((body) => [exec({ ...body, AttachStdout: true }), begun(), done("ExitCode")])],
  },
  {
    name: "resizing an exec",
    make: sleeper,
    steps: [
      start,
      exec({ Cmd: ["sleep", "600"], Tty: true }),
      begun({ Detach: true, Tty: true }),
      ...["h=10&w=20", "h=0&w=0", "h=x&w=1", "h=1", "w=1", ""].map((query): Step => ({ call: `POST /exec/{e}/resize?${query}` })),
    ],
  },
  {
    name: "an exec of one that has ended since",
    make: sleeper,
    steps: [start, exec({ Cmd: ["true"] }), stop, begun(), { call: "GET /exec/{e}/json", show: ["Running"] }],
    ours: { reason: "dockerd forgets execs with the run they were in, and who waits for one may get no exit code", statuses: [204, 201, 204, 409, 200] },
  },
  {
    name: "an exec of one that was paused since",
    make: sleeper,
    steps: [start, exec({ Cmd: ["true"] }), { call: "POST /containers/{n}/pause" }, begun(), { call: "POST /containers/{n}/unpause" }],
  },
];
