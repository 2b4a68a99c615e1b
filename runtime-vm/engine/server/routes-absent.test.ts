import { expect, test } from "vitest";
import { failure } from "./answer.ts";
import type { RequestContext } from "./router.ts";
import { Query } from "./query.ts";
import { Router } from "./router.ts";
import { absentRoutes } from "./routes-absent.ts";

const router = new Router(absentRoutes());

async function answer(method: string, target: string): Promise<{ status: number; message?: string }> {
  const [path = "", search = ""] = target.split("?");
  const context = { query: new Query(search), json: () => Promise.resolve({}) };
  const match = router.match(method, path);
  if (match === undefined) return { status: 404, message: "page not found" };
  try {
    return (await match.route.handler({ ...context, params: match.params } as unknown as RequestContext)) as { status: number };
  } catch (error) {
    return failure(error);
  }
}

// Asked of dockerd 28.5 in no swarm and with no plugin.
test.each([
  ["GET", "/swarm", 503, "This node is not a swarm manager."],
  ["POST", "/swarm/unlock", 503, "This node is not a swarm manager."],
  ["POST", "/swarm/leave", 503, "This node is not part of a swarm"],
  ["GET", "/services/x/logs?stdout=1", 503, "This node is not a swarm manager."],
  ["GET", "/services/x/logs", 400, "you must choose at least one stream"],
  ["POST", "/services/x/update?version=1", 503, "This node is not a swarm manager."],
  ["POST", "/services/x/update", 400, "invalid service version '': strconv.ParseUint: parsing \"\": invalid syntax"],
  ["POST", "/swarm/update?version=x", 400, "invalid swarm version 'x'"],
  ["POST", "/secrets/x/update", 400, "invalid secret version"],
  ["GET", "/nodes?filters=junk", 400, "invalid filter"],
  ["DELETE", "/nodes/x", 503, "This node is not a swarm manager."],
  ["GET", "/tasks/x/logs?stderr=1", 503, "This node is not a swarm manager."],
  ["POST", "/secrets/create", 503, "This node is not a swarm manager."],
  ["DELETE", "/configs/x", 503, "This node is not a swarm manager."],
  ["DELETE", "/tasks/x", 404, "page not found"],
  ["GET", "/plugins/a/b/json", 404, 'plugin "a/b" not found'],
  ["POST", "/plugins/x/disable", 404, 'plugin "x" not found'],
  ["DELETE", "/plugins/x", 404, 'plugin "x" not found'],
  ["GET", "/containers/x/checkpoints", 501, "This experimental feature is disabled by default."],
  ["GET", "/plugins?filters=junk", 400, "invalid filter"],
])("%s %s answers %i", async (method, path, status, message) => {
  const got = await answer(method, path);
  expect(got.status).toBe(status);
  expect(got.message).toContain(message);
});

// dockerd would do these.
test.each([
  ["POST", "/swarm/init", "no swarm mode"],
  ["POST", "/swarm/join", "no swarm mode"],
  ["GET", "/plugins/privileges?remote=a/b", "no plugins"],
  ["POST", "/plugins/pull?remote=a/b", "no plugins"],
  ["POST", "/plugins/create?name=x", "no plugins"],
])("%s %s says what this engine lacks", async (method, path, message) => {
  expect(await answer(method, path)).toMatchObject({ status: 501, message: expect.stringContaining(message) });
});
