import { expect, test } from "vitest";
import { failure } from "./answer.ts";
import type { RequestContext } from "./router.ts";
import { Router } from "./router.ts";
import { absentRoutes } from "./routes-absent.ts";

const router = new Router(absentRoutes());

async function answer(method: string, path: string): Promise<{ status: number; message?: string }> {
  const match = router.match(method, path);
  if (match === undefined) return { status: 404, message: "page not found" };
  try {
    return (await match.route.handler({ params: match.params } as unknown as RequestContext)) as { status: number };
  } catch (error) {
    return failure(error);
  }
}

// Asked of dockerd 28.5 in no swarm and with no plugin.
test.each([
  ["GET", "/swarm", 503, "This node is not a swarm manager."],
  ["POST", "/swarm/unlock", 503, "This node is not a swarm manager."],
  ["POST", "/swarm/leave", 503, "This node is not part of a swarm"],
  ["GET", "/services/x/logs", 503, "This node is not a swarm manager."],
  ["POST", "/services/x/update", 503, "This node is not a swarm manager."],
  ["DELETE", "/nodes/x", 503, "This node is not a swarm manager."],
  ["GET", "/tasks/x/logs", 503, "This node is not a swarm manager."],
  ["POST", "/secrets/create", 503, "This node is not a swarm manager."],
  ["DELETE", "/configs/x", 503, "This node is not a swarm manager."],
  ["DELETE", "/tasks/x", 404, "page not found"],
  ["GET", "/plugins/a/b/json", 404, 'plugin "a/b" not found'],
  ["POST", "/plugins/x/disable", 404, 'plugin "x" not found'],
  ["DELETE", "/plugins/x", 404, 'plugin "x" not found'],
  ["GET", "/containers/x/checkpoints", 501, "This experimental feature is disabled by default."],
])("%s %s answers %i", async (method, path, status, message) => {
  const got = await answer(method, path);
  expect(got.status).toBe(status);
  expect(got.message).toContain(message);
});
