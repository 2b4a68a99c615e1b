import { EngineError } from "#base/errors.ts";
import type { Jobs } from "./control.ts";
import { Reader, Writer } from "./proto.ts";
import type { Call, Methods } from "./server.ts";

const service = "/moby.buildkit.v1.frontend.LLBBridge";

/** What a client may rely on (buildkit's frontend/gateway/pb/caps.go). */
const capabilities = [
  "solve.base",
  "return",
  "returnmap",
  "proto.refarray",
  "frontend.inputs",
  "frontend.caps",
  "gateway.solve.metadata",
  "gateway.solve.evaluate",
  "gateway.warnings",
];

/** moby.buildkit.v1.frontend.LLBBridge, as far as a client that drives a Dockerfile's build needs it (gateway.proto). */
export const bridgeMethods = (jobs: Jobs): Methods => ({
  [`${service}/Ping`]: async (call) => {
    const caps = capabilities.map((id) => new Writer().text(1, id).bool(2, true));
    await call.send(new Writer().messages(1, caps).done());
  },
  [`${service}/Solve`]: async (call) => {
    const request = new Reader(await call.request());
    const job = await jobs.get(buildId(call));
    if (request.message(1).has(1)) throw new EngineError("notImplemented", "this engine builds Dockerfiles, not LLB definitions");
    const ref = request.text(2) === "" ? "" : await job.solve(request.text(2), request.map(3));
    const result = new Writer().message(3, new Writer().text(1, ref));
    await call.send(new Writer().message(3, result).done());
  },
  [`${service}/Return`]: async (call) => {
    const request = new Reader(await call.request());
    const job = await jobs.get(buildId(call));
    if (request.has(2)) job.returned.resolve({ error: new EngineError("invalidArgument", request.message(2).text(2)) });
    else job.returned.resolve({ ref: refOf(request.message(1)) });
    await call.send(new Uint8Array());
  },
  [`${service}/Warn`]: async (call) => {
    await call.request();
    await call.send(new Uint8Array());
  },
});

const buildId = ({ headers }: Call): string => String(headers["buildkit-controlapi-buildid"] ?? "");

/** One result, or the first of several. */
function refOf(result: Reader): string {
  if (result.has(3)) return result.message(3).text(1);
  if (result.has(1)) return result.text(1);
  return result.message(4).messages(1)[0]?.message(2).text(1) ?? "";
}
