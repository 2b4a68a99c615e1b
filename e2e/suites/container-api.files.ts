import { type ApiCase, type Step, sh, sleeper, start } from "./container-api.case.ts";

const ended: Step = { call: "POST /containers/{n}/wait", show: ["StatusCode"] };
const made = sh("mkdir -p /d/sub; echo x > /d/f; ln -s f /d/link; ln -s /d/sub /d/away; ln -s none /d/gone; chmod 4755 /d/f");
const paths = [
  ...["/d", "/d/", "/d/.", "/d/f", "/d/f/", "/d/f/.", "d/f", "/d/link", "/d/link/", "/d/away", "/d/away/", "/d/gone", "/d/none"],
  ...["/", ".", "", "/d/../d/f", "/proc/1", "/etc/hostname"],
];
const stat = (method: string, path: string): Step => ({
  call: `${method} /containers/{n}/archive?path=${encodeURIComponent(path)}`,
  header: "X-Docker-Container-Path-Stat",
});
const put = (query: string, raw = ""): Step => ({ call: `PUT /containers/{n}/archive?${query}`, raw });
const changed: Step = { call: "GET /containers/{n}/changes", show: ["length"] };

const image: Step = { call: "GET /images/{e}/json", show: ["RepoTags", "Comment", "Author", "Config", "Parent", "Architecture", "Os", "RootFS.Layers.length"] };
const committed = (query: string, body?: object): readonly Step[] => [
  { call: `POST /commit?container={n}${query}`, keep: true, ...(body === undefined ? {} : { body }) },
  image,
  { call: "DELETE /images/{e}?force=1" },
];
const refused = (query: string, body?: object): Step => ({ call: `POST /commit?${query}`, ...(body === undefined ? {} : { body }) });

/** Copies, differences and images of containers, by every parameter. */
export const files: readonly ApiCase[] = [
  { name: "archives by path", make: made, steps: [start, ended, ...paths.flatMap((path) => [stat("HEAD", path), stat("GET", path)])] },
  { name: "archives without a path", make: sleeper, steps: [{ call: "HEAD /containers/{n}/archive" }, { call: "GET /containers/{n}/archive" }, put("")] },
  {
    name: "files of nobody",
    steps: [
      { call: "HEAD /containers/nobody/archive?path=/" },
      { call: "GET /containers/nobody/archive?path=/" },
      { call: "PUT /containers/nobody/archive?path=/", raw: "" },
      { call: "GET /containers/nobody/export" },
      { call: "GET /containers/nobody/changes" },
    ],
  },
  {
    name: "what is put into a container",
    make: made,
    steps: [
      start,
      ended,
      ...["path=/d", "path=/d/", "path=/none", "path=/d/f", "path=/d/f/", "path=d", "path=/d/away", "path=/d/gone", "path=/d/link"].map((query) => put(query)),
      ...["1", "true", "0", "nonsense", ""].map((flag) => put(`path=/d&noOverwriteDirNonDir=${flag}&copyUIDGID=${flag}`)),
    ],
  },
  { name: "what a container changed", make: sh("echo x > /new; rm /bin/ls; mkdir -p /a/b; echo y >> /etc/passwd"), steps: [changed, start, ended, changed] },
  {
    name: "commit by every parameter",
    make: sleeper,
    steps: [
      ...["", "&repo=built&tag=one", "&repo=built", "&tag=one", "&repo=built:two", "&repo=built:two&tag=three", "&repo=localhost:5000/built&tag=x"],
      ...["&repo=built&comment=c%20d&author=me%20%3Cm%40e%3E", "&repo=built&pause=0", "&repo=built&pause=nonsense"],
      "&repo=built&changes=ENV%20A%3Db&changes=USER%20u",
    ].flatMap((query) => committed(query)),
  },
  {
    name: "commit with a configuration",
    make: { ...sleeper, Env: ["OWN=1"], Labels: { own: "1" } },
    steps: [
      {},
      { Cmd: ["x"] },
      { Env: ["A=b"], Labels: { l: "m" } },
      { Cmd: "x" },
      { ExposedPorts: { "80/tcp": {} }, Volumes: { "/v": {} }, User: "u", WorkingDir: "/w" },
    ].flatMap((body) => committed("", body)),
  },
  {
    name: "commits that are refused",
    make: sleeper,
    steps: [
      ...["repo=Bad", "repo=built&tag=@@", `repo=built@sha256:${"0".repeat(64)}`, "repo=built&changes=NONSENSE%20x", "repo=built&changes="].map((query) =>
        refused(`container={n}&${query}`),
      ),
      refused("container={n}", { Env: "x" }),
      refused("container=nobody-here", {}),
      refused("", {}),
      refused("container=", {}),
    ],
  },
];
