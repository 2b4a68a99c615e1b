import { expect, test } from "vitest";
import type { Bridge, HostEvents } from "#bridge/bridge.ts";
import { isClass } from "#base/errors.ts";
import { bridgeTo, dockerTo, type ShownEngine, showEngine, shownEngine } from "./shownengine.ts";

const box: ShownEngine = { id: "1", name: "box", url: "ssh://me@box", source: "added", portHost: "box" };

/** A bridge that answers what it was asked. */
function echo(): { bridge: Bridge; fire: (event: HostEvents["engine"]) => void } {
  const listeners: ((event: HostEvents["engine"]) => void)[] = [];
  const nothing = { [Symbol.dispose]: () => undefined };
  const bridge = {
    call: async (name: string, arg: unknown) => ({ name, arg }),
    stream: (open: unknown) => open,
    on: (event: string, listener: (value: never) => void) => {
      if (event === "engine") listeners.push(listener as (event: HostEvents["engine"]) => void);
      return nothing;
    },
    connected: true,
    onConnected: () => nothing,
  } as unknown as Bridge;
  return { bridge, fire: (event) => listeners.forEach((listener) => listener(event)) };
}

test("a window on another engine asks that one, and the host for what is this computer's", async () => {
  const { bridge, fire } = echo();
  const there = bridgeTo(bridge, box);
  expect(await there.call("engine.request", { method: "GET", path: "/info" })).toEqual({
    name: "engine.request",
    arg: { method: "GET", path: "/info", engine: "1" },
  });
  const open = { kind: "download", windowBytes: 1, request: { method: "GET", path: "/events" } } as const;
  expect(there.stream(open)).toEqual({ ...open, request: { ...open.request, engine: "1" } });
  expect(await there.call("machine.status")).toEqual({ name: "engines.status", arg: { id: "1" } });
  expect(await there.call("machine.start")).toEqual({ name: "engines.connect", arg: { id: "1" } });
  expect(await there.call("host.info")).toMatchObject({ portHost: "box" });
  expect(await there.call("settings.get")).toEqual({ name: "settings.get", arg: undefined });
  const seen: unknown[] = [];
  there.on("machine", (status) => seen.push(status.phase));
  const status = { driver: "remote", accelerator: "none", steps: [], notices: [], restarts: 0, logTail: [] };
  fire({ id: "2", status: { ...status, phase: "failed" } });
  fire({ id: "1", status: { ...status, phase: "running" } });
  expect(seen).toEqual(["running"]);
});

test.each(["machine.stop", "machine.erase", "machine.repair"] as const)("%s never reaches this computer's machine from such a window", async (name) => {
  const there = bridgeTo(echo().bridge, box);
  await expect(there.call(name)).rejects.toSatisfy((error: unknown) => isClass(error, "notImplemented"));
});

test("the choice is kept for the tab, and the page begins anew", () => {
  let reloads = 0;
  const location = { hash: "#/volumes/data", reload: () => (reloads += 1) } as unknown as Location;
  showEngine(box, { sessionStorage, location });
  expect([location.hash, reloads, shownEngine(sessionStorage)]).toEqual(["/containers", 1, box]);
  showEngine(undefined, { sessionStorage, location });
  expect([reloads, shownEngine(sessionStorage)]).toEqual([2, undefined]);
  sessionStorage.setItem("slipway.engine", "{");
  expect(shownEngine(sessionStorage)).toBeUndefined();
  sessionStorage.clear();
});

test("the docker command is told the same engine", () => {
  expect(dockerTo(undefined)).toEqual(["docker"]);
  expect(dockerTo({ ...box, source: "context" })).toEqual(["docker", "--context", "box"]);
  expect(dockerTo(box)).toEqual(["docker", "-H", "ssh://me@box"]);
  const tls = { ca: "/ca.pem", cert: "/cert.pem", key: "/key.pem" };
  expect(dockerTo({ ...box, url: "tcp://box:2376", tls }).join(" ")).toBe(
    "docker -H tcp://box:2376 --tlsverify --tlscacert /ca.pem --tlscert /cert.pem --tlskey /key.pem",
  );
});
