import { EngineError } from "#base/errors.ts";
import { Outlet } from "#core/builds/outlet.ts";
import type { Descriptor } from "#core/content/content.ts";
import type { ImageBuilder } from "#core/images/building.ts";
import type { BuildHistory, BuildRecord, HistoryEvent } from "./history.ts";
import { Reader, Writer } from "./proto.ts";
import type { Methods } from "./server.ts";

const kinds: Readonly<Record<HistoryEvent["kind"], number>> = { started: 0, complete: 1, deleted: 2 };

/** The calls of moby.buildkit.v1.Control about builds that were, and containerd's content service for what these have made. */
export const historyMethods = (history: BuildHistory, builder: Pick<ImageBuilder, "open" | "sizeOf">): Methods => ({
  "/moby.buildkit.v1.Control/ListenBuildHistory": async (call) => {
    const request = new Reader(await call.request());
    const [activeOnly, ref, earlyExit, limit] = [request.bool(1), request.text(2), request.bool(3), request.int(5)];
    const wanted = ({ kind, record }: HistoryEvent): boolean => (ref === "" || record.ref === ref) && (!activeOnly || kind === "started");
    const outlet = new Outlet<HistoryEvent>();
    using _listening = history.listen((event) => void outlet.push(event));
    const known = history.list().filter(wanted);
    if (ref !== "" && earlyExit && !activeOnly && known.length === 0) throw new EngineError("notFound", `failed to load ref: ${ref}: not found`);
    for (const event of limit > 0 ? known.slice(-limit) : known) await call.send(eventOf(event).done());
    if (earlyExit) return;
    const leave = (): void => outlet.end();
    call.signal.addEventListener("abort", leave, { once: true });
    for await (const event of outlet) if (wanted(event)) await call.send(eventOf(event).done());
  },
  "/moby.buildkit.v1.Control/UpdateBuildHistory": async (call) => {
    const request = new Reader(await call.request());
    const ref = request.text(1);
    const done = request.bool(3) ? history.remove(ref) : request.bool(4) ? history.find(ref) !== undefined : history.pin(ref, request.bool(2));
    if (!done) throw new EngineError("notFound", `failed to retrieve ref ${ref}: not found`);
    await call.send(new Uint8Array());
  },
  "/containerd.services.content.v1.Content/Info": async (call) => {
    const digest = new Reader(await call.request()).text(1);
    const size = history.document(digest)?.length ?? builder.sizeOf(digest);
    if (size === undefined) throw new EngineError("notFound", `content ${digest}: not found`);
    await call.send(new Writer().message(1, new Writer().text(1, digest).int(2, size)).done());
  },
  "/containerd.services.content.v1.Content/Read": async (call) => {
    const request = new Reader(await call.request());
    const [digest, offset, size] = [request.text(1), request.int(2), request.int(3)];
    const document = history.document(digest);
    if (document === undefined && builder.sizeOf(digest) === undefined) throw new EngineError("notFound", `content ${digest}: not found`);
    let at = 0;
    const end = size > 0 ? offset + size : Infinity;
    for await (const chunk of document === undefined ? (builder.open(digest as Descriptor["digest"]) as AsyncIterable<Buffer>) : [document]) {
      const piece = chunk.subarray(Math.max(0, offset - at), Math.max(0, end - at));
      const from = Math.max(at, offset);
      at += chunk.length;
      if (piece.length > 0) await call.send(new Writer().int(1, from).bytes(2, piece).done());
      if (at >= end) return;
    }
  },
});

const eventOf = ({ kind, record }: HistoryEvent): Writer => {
  const message = new Writer();
  return message.int(1, kinds[kind]).message(2, recordOf(record));
};

function recordOf(record: BuildRecord): Writer {
  const { ref, attributes, exporters, created, completed, error, failure, logs, told, results, steps, pinned } = record;
  const writer = new Writer()
    .text(1, ref)
    .text(2, "dockerfile.v0")
    .map(3, attributes)
    .messages(
      4,
      exporters.map((one) => new Writer().text(1, one.type).map(2, one.attributes)),
    )
    .message(5, error === undefined ? undefined : new Writer().int(1, error.code).text(2, error.message))
    .time(6, new Date(created))
    .time(7, completed === undefined ? undefined : new Date(completed))
    .message(8, logs === undefined ? undefined : descriptorOf(logs))
    .map(9, told);
  const infos = Object.entries(results).map(([platform, result]) => [platform, infoOf(result)] as const);
  for (const [platform, info] of infos) {
    if (platform === "") writer.message(10, info);
    else writer.message(11, new Writer().text(1, platform).message(2, info));
  }
  return writer
    .int(12, completed === undefined ? 1 : 2)
    .bool(14, pinned)
    .int(15, steps.cached)
    .int(16, steps.total)
    .int(17, steps.completed)
    .message(18, failure === undefined ? undefined : descriptorOf(failure.descriptor))
    .int(19, steps.warnings);
}

function infoOf({ image, attestations }: BuildRecord["results"][string]): Writer {
  const info = new Writer().messages(2, attestations.map(descriptorOf));
  return image === undefined ? info : info.message(1, descriptorOf(image)).message(3, new Writer().message(2, descriptorOf(image)));
}

const descriptorOf = ({ mediaType, digest, size, annotations }: Descriptor): Writer =>
  new Writer()
    .text(1, mediaType)
    .text(2, digest)
    .int(3, size)
    .map(5, annotations ?? {});
