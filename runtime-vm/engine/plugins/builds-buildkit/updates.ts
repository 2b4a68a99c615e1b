import { StringDecoder } from "node:string_decoder";
import type { BuildStep, BuildUpdate } from "#api/builds.ts";
import { Reader } from "./proto.ts";

/** Reads a display's `StatusResponse`s, in their order: what of them tells of steps. */
export class UpdateReader {
  /** A character may be cut between two messages. */
  readonly #decoders = new Map<string, StringDecoder>();

  read(message: Buffer): BuildUpdate {
    const response = new Reader(message);
    return {
      steps: response.messages(1).map(stepOf),
      logs: response.messages(3).map((log) => ({ step: log.text(1), text: this.#text(log.text(1), log.bytes(4)) })),
    };
  }

  #text(step: string, bytes: Buffer): string {
    const decoder = this.#decoders.get(step) ?? new StringDecoder("utf8");
    this.#decoders.set(step, decoder);
    return decoder.write(bytes);
  }
}

function stepOf(vertex: Reader): BuildStep {
  const [started, completed, error] = [timeOf(vertex, 5), timeOf(vertex, 6), vertex.text(7)];
  return {
    id: vertex.text(1),
    name: vertex.text(3),
    cached: vertex.bool(4),
    ...(started === undefined ? {} : { started }),
    ...(completed === undefined ? {} : { completed }),
    ...(error === "" ? {} : { error }),
  };
}

/** google.protobuf.Timestamp. */
function timeOf(message: Reader, field: number): string | undefined {
  if (!message.has(field)) return undefined;
  const time = message.message(field);
  return new Date(time.int(1) * 1000 + time.int(2) / 1e6).toISOString();
}
