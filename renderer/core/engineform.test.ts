import { expect, test } from "vitest";
import { addressOf, emptyEngineForm, nameOf, urlOf } from "./engineform.ts";

test.each([
  ["me@box", "ssh://me@box"],
  ["box", "ssh://box"],
  ["box:2376", "tcp://box:2376"],
  ["/run/docker.sock", "unix:///run/docker.sock"],
  [" ssh://me@box:22 ", "ssh://me@box:22"],
  ["", ""],
])("%j is taken for %j", (url, meant) => {
  expect(urlOf({ url })).toBe(meant);
});

test("certificates belong to encrypted tcp alone, and empty paths are none", () => {
  const form = { ...emptyEngineForm, url: "tcp://box:2376", ca: " /ca.pem ", key: "" };
  expect(addressOf(form)).toEqual({ url: "tcp://box:2376", tls: { ca: "/ca.pem" } });
  expect(addressOf({ ...form, encrypted: false })).toEqual({ url: "tcp://box:2376" });
  expect(addressOf({ ...form, url: "me@box" })).toEqual({ url: "ssh://me@box" });
});

test("without a name an engine is called as its computer is", () => {
  const named = (url: string, name = ""): string => nameOf({ ...emptyEngineForm, url, name });
  expect([named("ssh://me@box.lan:22/run/x.sock"), named("tcp://10.0.0.1:2376"), named("me@box", " prod ")]).toEqual(["box.lan", "10.0.0.1", "prod"]);
});
