import { EngineError, type ErrorClass, messageOf } from "#base/errors.ts";
import { Writer } from "./proto.ts";

/** gRPC's status codes that are used here. */
export const grpcCodes = { ok: 0, cancelled: 1, unknown: 2, invalidArgument: 3, notFound: 5, unimplemented: 12, internal: 13, unavailable: 14 } as const;

export const codeOf: Readonly<Record<ErrorClass, number>> = {
  notFound: grpcCodes.notFound,
  conflict: 9,
  invalidArgument: grpcCodes.unknown,
  notModified: grpcCodes.unknown,
  unauthorized: 16,
  forbidden: 7,
  unavailable: grpcCodes.unavailable,
  notImplemented: grpcCodes.unimplemented,
  exhausted: 8,
  cancelled: grpcCodes.cancelled,
  internal: grpcCodes.unknown,
};

/** Something typed beside the sentence: its URL, and its JSON. */
export interface Detail {
  readonly url: string;
  readonly json: unknown;
}

/** An error that carries such details. */
export class DetailedError extends Error {
  readonly details: readonly Detail[];
  constructor(message: string, details: readonly Detail[], options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }
}

const codeFor = (error: unknown): number => (error instanceof EngineError ? codeOf[error.class] : grpcCodes.unknown);

/** The trailers of a call that failed. */
export function failureTrailers(error: unknown): Record<string, string> {
  const hasDetails = error instanceof DetailedError && error.details.length > 0;
  return {
    "grpc-status": String(codeFor(error)),
    "grpc-message": percentEncoded(messageOf(error)),
    ...(hasDetails ? { "grpc-status-details-bin": statusOf(error).toString("base64") } : {}),
  };
}

/** A failure with its details, as a message of google.rpc.Status. */
export function statusOf(error: unknown): Buffer {
  const status = new Writer().int(1, codeFor(error)).text(2, messageOf(error));
  const details = error instanceof DetailedError ? error.details : [];
  for (const { url, json } of details) status.message(3, new Writer().text(1, url).bytes(2, Buffer.from(JSON.stringify(json))));
  return status.done();
}

/** Anything but printable ASCII, and the percent sign itself, byte by byte. */
function percentEncoded(text: string): string {
  return Array.from(Buffer.from(text, "utf8"), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}
