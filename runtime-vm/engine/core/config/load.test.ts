import { expect, test } from "vitest";
import { parseFlags, resolveConfig } from "./load.ts";

test("flags are read in both forms", () => {
  expect(parseFlags(["--root", "/r", "--socket=/s", "--debug"])).toEqual({ root: "/r", socket: "/s", debug: true });
  expect(() => parseFlags(["--rot", "/r"])).toThrow("unknown flag --rot");
  expect(() => parseFlags(["--root"])).toThrow("flag --root needs a value");
});

test("flags win over the file, the file over the defaults", () => {
  const config = resolveConfig({ root: "/mine" }, '{"data-root":"/file","debug":true,"dns":["1.1.1.1"]}');
  expect(config).toMatchObject({ root: "/mine", debug: true, dns: ["1.1.1.1"], liveRestore: true, logDriver: "json-file", warnings: [] });
  expect(Object.isFrozen(config)).toBe(true);
});

test("keys nobody reads warn and do not fail", () => {
  const config = resolveConfig({}, '{"features":{"x":true},"colour":"red"}');
  expect(config.warnings).toEqual(['daemon.json: "features" has no effect in this engine', 'daemon.json: unknown key "colour" is ignored']);
});

test.each([
  ["{", "unexpected EOF"],
  ["[]", "daemon.json must be an object"],
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
