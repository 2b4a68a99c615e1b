import { expect, test } from "vitest";
import type { ImageRunConfig } from "#api/oci.ts";
import type { ContainerConfig } from "#api/containers.ts";
import { commandOf, mergeImageConfig } from "./merge.ts";

const image: ImageRunConfig = {
  User: "app",
  Env: ["PATH=/bin", "A=image"],
  Entrypoint: ["/entry"],
  Cmd: ["cmd"],
  WorkingDir: "/srv",
  Labels: { a: "image", b: "image" },
  ExposedPorts: { "80/tcp": {} },
  Volumes: { "/data": {} },
  StopSignal: "SIGINT",
};
const merge = (own: Partial<ContainerConfig>, from: ImageRunConfig | undefined = image): ContainerConfig => mergeImageConfig({ Image: "x", ...own }, from);

test.for<[Partial<ContainerConfig>, string[]]>([
  [{}, ["/entry", "cmd"]],
  [{ Cmd: ["own"] }, ["/entry", "own"]],
  [{ Entrypoint: ["/own"] }, ["/own"]],
  [{ Entrypoint: ["/own"], Cmd: ["x"] }, ["/own", "x"]],
  [{ Entrypoint: [""], Cmd: ["x"] }, ["x"]],
  [{ Entrypoint: [], Cmd: ["x"] }, ["x"]],
  [{ Entrypoint: null, Cmd: ["x"] }, ["/entry", "x"]],
])("%o runs %o", ([own, command]) => {
  expect(commandOf(merge(own))).toEqual(command);
});

test("nothing to run is refused", () => {
  expect(() => merge({}, {})).toThrow(expect.objectContaining({ class: "invalidArgument", message: "no command specified" }) as Error);
  expect(() => merge({ Entrypoint: [""] })).toThrow("no command specified");
});

test("environment and labels are merged by name, the container's first", () => {
  const merged = merge({ Env: ["A=own", "B=own"], Labels: { b: "own", c: "own" } });
  expect(merged.Env).toEqual(["A=own", "B=own", "PATH=/bin"]);
  expect(merged.Labels).toEqual({ a: "image", b: "own", c: "own" });
});

test("ports and volumes add up, the rest is the image's where the container says nothing", () => {
  expect(merge({ ExposedPorts: { "53/udp": {} }, User: "0" })).toMatchObject({
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    Volumes: { "/data": {} },
    User: "0",
    WorkingDir: "/srv",
    StopSignal: "SIGINT",
  });
});

test("a health check takes from the image what it leaves out", () => {
  const merged = merge({ Healthcheck: { Interval: 5 } }, { ...image, Healthcheck: { Test: ["CMD", "ok"], Interval: 1, Retries: 3 } });
  expect(merged.Healthcheck).toEqual({ Test: ["CMD", "ok"], Interval: 5, Retries: 3 });
  expect(merge({ Healthcheck: { Test: ["NONE"] } }, { ...image, Healthcheck: { Test: ["CMD", "ok"] } }).Healthcheck?.Test).toEqual(["NONE"]);
});
