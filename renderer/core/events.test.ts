// @vitest-environment node
import { expect, test } from "vitest";
import type { EventMessage } from "#api/events.ts";
import { staleKeys } from "./events.ts";
import { keys } from "./keys.ts";

const event = (Type: string, Action: string, ID = "abc", Attributes: Record<string, string> = {}): EventMessage => ({
  Type,
  Action,
  Actor: { ID, Attributes },
  scope: "local",
  time: 1,
  timeNano: 1e9,
});

test("a container that starts makes the list and itself stale, and nothing else", () => {
  expect(staleKeys(event("container", "start"))).toEqual([keys.containers, keys.container("abc")]);
});

test("a container that comes or goes also changes who uses images and volumes", () => {
  for (const action of ["create", "destroy"]) {
    expect(staleKeys(event("container", action))).toEqual([keys.containers, keys.container("abc"), keys.images, keys.volumes, keys.trash]);
  }
});

test("exec, attach and resize change nothing that is shown", () => {
  for (const action of ["exec_create: sh -c ls", "exec_start: sh", "exec_die", "attach", "resize", "top"])
    expect(staleKeys(event("container", action))).toEqual([]);
});

test("a change of health is a change of the container", () => {
  expect(staleKeys(event("container", "health_status: healthy"))).toContainEqual(keys.containers);
});

test("connecting a container makes its network and the container stale", () => {
  expect(staleKeys(event("network", "connect", "net1", { container: "c1" }))).toEqual([
    keys.networks,
    keys.network("net1"),
    keys.containers,
    keys.container("c1"),
  ]);
});

test("an image event makes the list and every inspected image stale: a tag may have moved", () => {
  expect(staleKeys(event("image", "tag", "sha256:1"))).toEqual([keys.images, ["image"]]);
});

test("an event of an unknown type is not a reason to ask again", () => {
  expect(staleKeys(event("builder", "prune"))).toEqual([]);
});
