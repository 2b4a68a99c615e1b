import { createHash } from "node:crypto";
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
  "gateway.evaluate",
  "gateway.solve.metadata",
  "gateway.solve.evaluate",
  "gateway.warnings",
  "reference.output",
  "moby.buildkit.frontend.subrequests",
];

/** The same for what exporters and sources do, which a client asks for before it asks for them (solver/pb/caps.go). */
const llbCapabilities = [
  "source.image",
  "source.local",
  "source.git",
  "source.http",
  "exec.meta.base",
  "file.base",
  "constraints",
  "platform",
  "exporter.image.annotations",
  "exporter.image.attestations",
  "exporter.sourcedateepoch",
  "exporter.multiple",
  "gc.freespacefilter",
  // Clients leave these caches out without a word where they are not known; here they are told why.
  "cache.gha",
  "cache.s3",
  "cache.azblob",
];

/** apicaps.APICap: its id, and that it is enabled. */
const capability = (id: string): Writer => new Writer().text(1, id).bool(2, true);

/** moby.buildkit.v1.frontend.LLBBridge, as far as a client that drives a Dockerfile's build needs it (gateway.proto). */
export const bridgeMethods = (jobs: Jobs): Methods => ({
  [`${service}/Ping`]: async (call) => {
    const caps = capabilities.map(capability);
    await call.send(new Writer().messages(1, caps).messages(2, llbCapabilities.map(capability)).done());
  },
  [`${service}/Solve`]: async (call) => {
    const request = new Reader(await call.request());
    const job = await jobs.get(buildId(call));
    if (request.message(1).has(1)) throw new EngineError("notImplemented", "this engine builds Dockerfiles, not LLB definitions");
    if (request.text(2) === "") return await call.send(new Writer().message(3, new Writer().message(3, new Writer())).done());
    const attributes = request.map(3);
    if (attributes.has("requestid")) return await call.send(new Writer().message(3, new Writer().map(10, await job.answer(attributes))).done());
    const inputs = new Map(request.messages(13).map((pair) => [pair.text(1), inputOf(pair.message(2))]));
    const ref = await job.solve(request.text(2), attributes, inputs);
    const result = new Writer().message(3, new Writer().text(1, ref).message(2, definitionOf(job.publicName(ref))));
    await call.send(new Writer().message(3, result.map(10, job.metadata(ref))).done());
  },
  [`${service}/Return`]: async (call) => {
    const request = new Reader(await call.request());
    const job = await jobs.get(buildId(call));
    if (request.has(2)) job.returned.resolve({ error: new EngineError("invalidArgument", request.message(2).text(2)) });
    else job.returned.resolve({ ref: refOf(request.message(1)) });
    await call.send(new Uint8Array());
  },
  // A result is there when its name is.
  [`${service}/Evaluate`]: async (call) => {
    await call.request();
    await call.send(new Uint8Array());
  },
  [`${service}/Warn`]: async (call) => {
    await call.request();
    await call.send(new Uint8Array());
  },
});

const scheme = "slipway-result://";

/** A result as pb.Definition: one source that only we know, so that a client can hand it to another of its builds (solver/pb/ops.proto). */
function definitionOf(name: string): Writer {
  const source = new Writer().message(3, new Writer().text(1, `${scheme}${name}`)).done();
  const digestOf = (op: Buffer): string => `sha256:${createHash("sha256").update(op).digest("hex")}`;
  const end = new Writer().message(1, new Writer().text(1, digestOf(source))).done();
  // Clients refuse operations without a word about them.
  const nothing = new Uint8Array();
  return new Writer()
    .bytes(1, source)
    .bytes(1, end)
    .map(2, { [digestOf(source)]: nothing, [digestOf(end)]: nothing });
}

/** The result that such a definition stands for; "" for any other. */
function inputOf(definition: Reader): string {
  const identifiers = definition.messages(1).map((op) => (op.has(3) ? op.message(3).text(1) : ""));
  return identifiers.find((one) => one.startsWith(scheme))?.slice(scheme.length) ?? "";
}

const buildId = ({ headers }: Call): string => String(headers["buildkit-controlapi-buildid"] ?? "");

/** One result, or the first of several. */
function refOf(result: Reader): string {
  if (result.has(3)) return result.message(3).text(1);
  if (result.has(1)) return result.text(1);
  return result.message(4).messages(1)[0]?.message(2).text(1) ?? "";
}
