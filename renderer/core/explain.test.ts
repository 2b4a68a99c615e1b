// @vitest-environment node
import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { EngineFailure, pathOf } from "./engine/request.ts";
import { explain } from "./explain.ts";

test("the engine's words are the reason, without piled-up prefixes; the raw answer stays in the details", () => {
  const failure = new EngineFailure(409, "DELETE /volumes/data", "Error response from daemon: Error: volume is in use - [abc]");
  const told = explain(failure, "Could not delete “data”");
  expect(told).toMatchObject({ title: "Could not delete “data”", reason: "Volume is in use - [abc]." });
  expect(told.advice).toBeUndefined();
  expect(told.details).toContain("HTTP 409");
  expect(told.details).toContain("DELETE /volumes/data");
});

test("an engine that is away comes with what to do", () => {
  expect(explain(new EngineError("unavailable", "no answer."), "x").advice).toMatch(/try again/);
});

test("a registry that cannot be reached comes with what to look at", () => {
  const failure = new EngineFailure(500, "POST /images/create", 'Get "https://r.example/v2/": dial tcp: lookup r.example: no such host');
  expect(explain(failure, "x").advice).toMatch(/registry/);
});

test.each([
  [400, "invalidArgument"],
  [404, "notFound"],
  [409, "conflict"],
  [500, "internal"],
  [503, "unavailable"],
])("status %i is class %s", (status, cls) => expect(new EngineFailure(status, "", "").class).toBe(cls));

test("a path leaves out what is not set and writes true as Docker reads it", () => {
  expect(pathOf("/containers/json", { all: true, size: false, limit: undefined })).toBe("/containers/json?all=1");
  expect(pathOf("/x", { name: "a b&c" })).toBe("/x?name=a+b%26c");
});
