import { expect, test } from "vitest";
import { isClass } from "#base/errors.ts";
import { placeOf, portHostOf } from "./address.ts";

test("an address says where an engine is, as docker reads it", () => {
  const tls = { ca: "/ca.pem" };
  expect(placeOf({ url: "unix:///run/my docker.sock" })).toEqual({ kind: "path", path: "/run/my docker.sock" });
  expect(placeOf({ url: "npipe:////./pipe/docker_engine" })).toEqual({ kind: "path", path: "\\\\.\\pipe\\docker_engine" });
  expect(placeOf({ url: "tcp://box" })).toEqual({ kind: "tcp", host: "box", port: 2375, tls: undefined });
  expect(placeOf({ url: "tcp://box", tls })).toEqual({ kind: "tcp", host: "box", port: 2376, tls });
  expect(placeOf({ url: "tcp://[::1]:99" })).toMatchObject({ host: "::1", port: 99 });
  expect(placeOf({ url: "ssh://box" })).toEqual({ kind: "ssh", user: undefined, host: "box", port: undefined, socket: "/var/run/docker.sock" });
  expect(placeOf({ url: "ssh://me@box:2222/run/user/1000/docker.sock" })).toEqual({
    kind: "ssh",
    user: "me",
    host: "box",
    port: 2222,
    socket: "/run/user/1000/docker.sock",
  });
});

test("what could become an option of ssh, or a secret in an address, is refused", () => {
  const refused = [
    "ssh://-oProxyCommand=touch",
    "ssh://-l@box",
    "ssh://a%20b@box",
    "ssh://me:secret@box",
    "ssh://",
    "ssh://box?x=1",
    "ssh://box/run/x.sock;reboot",
    "ssh://box/run/$(reboot)",
    "ssh://box/run/x%20y.sock",
    "ssh://box/run/x.sock:22",
    "tcp://me@box",
    "tcp://box/path",
    "tcp://box:99999",
    "tcp:///",
  ];
  for (const url of refused) {
    const error = (() => {
      try {
        return placeOf({ url });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isClass(error, "invalidArgument"), url).toBe(true);
  }
  expect(() => placeOf({ url: "tcp://box", tls: { cert: "/cert.pem" } })).toThrow("belong together");
});

test("published ports are links to the computer whose engine is shown", () => {
  expect(portHostOf({ url: "ssh://me@box:22" })).toBe("box");
  expect(portHostOf({ url: "tcp://[fd00::1]:2376" })).toBe("[fd00::1]");
  expect(portHostOf({ url: "unix:///run/docker.sock" })).toBe("localhost");
});
