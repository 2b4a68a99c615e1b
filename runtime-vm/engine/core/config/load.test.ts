import { expect, test } from "vitest";
import { parseFlags, resolveConfig } from "./load.ts";

test("flags are read in both forms", () => {
  expect(parseFlags(["--root", "/r", "--socket=/s", "--debug"])).toEqual({ root: "/r", socket: "/s", debug: true });
  expect(() => parseFlags(["--rot", "/r"])).toThrow("unknown flag --rot");
  expect(() => parseFlags(["--root"])).toThrow("flag --root needs a value");
});

test("flags win over the file, the file over the defaults", () => {
  const config = resolveConfig({ socket: "/mine" }, '{"data-root":"/file","debug":true,"dns":["1.1.1.1"]}');
  expect(config).toMatchObject({ socket: "/mine", root: "/file", debug: true, dns: ["1.1.1.1"], liveRestore: true, logDriver: "json-file", warnings: [] });
  expect(Object.isFrozen(config)).toBe(true);
});

test("keys nobody reads warn and do not fail", () => {
  const config = resolveConfig({}, '{"rootless":true,"colour":"red"}');
  expect(config.warnings).toEqual(['daemon.json: "rootless" has no effect: this engine runs as root', 'daemon.json: unknown key "colour" is ignored']);
});

test.each([
  ["{", "unexpected EOF"],
  ["[]", "it must be one JSON object"],
  ['{\n  "debug": true\n  "mtu": 1500\n}', `file daemon.json: invalid JSON at line 3, column 3: invalid character '"' after object key:value pair`],
  ['{"labels":["a=1","a=2"]}', "conflict labels for a=2 and a=1"],
  ['{"hosts":["tcp://0.0.0.0:2375"]}', "tcp://0.0.0.0:2375 is refused without client certificates"],
  ['{"hosts":["tcp://0.0.0.0:2376"],"tls":true}', "is refused without client certificates"],
  ['{"hosts":["ftp://x"]}', "invalid bind address (ftp://x): unsupported proto 'ftp'"],
  ['{"default-ipc-mode":"host"}', 'IPC mode "host" is not supported as default value; use "shareable" or "private"'],
  ['{"default-cgroupns-mode":"x"}', 'invalid default cgroup namespace (x): use "host" or "private"'],
  ['{"default-shm-size":"x"}', "invalid size: 'x'"],
  ['{"default-runtime":"zzz"}', "specified default runtime 'zzz' does not exist"],
  ['{"runtimes":{"runc":{"path":"/x"}}}', "runtime name 'runc' is reserved"],
  ['{"runtimes":{"x":{}}}', "either a runtime type or a path must be configured"],
  ['{"registry-mirrors":["x"]}', "no scheme specified for"],
  ['{"exec-opts":["x"]}', "invalid exec-opt (x): must be formatted 'opt=value'"],
  ['{"log-level":"loud"}', "invalid logging level: loud"],
  ['{"max-concurrent-downloads":-1}', "invalid max concurrent downloads: -1"],
  ['{"default-address-pools":[{"base":"10.0.0.0/24","size":16}]}', "networks of size /16 do not fit into 10.0.0.0/24"],
  ['{"api-cors-header":"*"}', "have been removed"],
  ['{"debug":"yes"}', "daemon.json: debug must be true or false"],
  ['{"dns":"1.1.1.1"}', "daemon.json: dns must be a list of strings"],
  ['{"bip":"bridge"}', "bip must be an address"],
  ['{"mtu":10}', "mtu must be between"],
  ['{"data-root":"relative"}', "root must be absolute"],
  ['{"labels":["x"]}', "bad attribute format: x"],
  ['{"log-opts":{"max-size":1}}', "log-opts.max-size must be a string"],
])("%s is refused with the reason", (file, message) => {
  expect(() => resolveConfig({}, file)).toThrow(message);
});

test("what is said by a flag and in the file is refused as dockerd refuses it", () => {
  const sentence = "the following directives are specified both as a flag and in the configuration file: debug: (from flag: true, from file: false)";
  expect(() => resolveConfig({ debug: true }, '{"debug":false}')).toThrow(sentence);
});

test("the root directory of the flag wins, and says so", () => {
  expect(resolveConfig({ root: "/mine" }, '{"data-root":"/file"}').warnings).toEqual([
    'daemon.json: "data-root" has no effect: the root directory is given by --root /mine',
  ]);
});

test("a byte order mark, white space and nothing at all are no error", () => {
  for (const file of ["", " \n", "\uFEFF{}"]) expect(resolveConfig({}, file).warnings).toEqual([]);
});

test("tcp with client certificates is served", () => {
  const file = '{"hosts":["tcp://127.0.0.1:2376","unix:///run/a.sock"],"tlsverify":true,"tlscacert":"/ca","tlscert":"/cert","tlskey":"/key"}';
  expect(resolveConfig({}, file)).toMatchObject({
    hosts: [
      { kind: "tcp", host: "127.0.0.1", port: 2376 },
      { kind: "unix", path: "/run/a.sock" },
    ],
    tls: { ca: "/ca", cert: "/cert", key: "/key" },
  });
});
