import { EngineError } from "#base/errors.ts";
import { bridgeLimits } from "./limits.ts";

/**
 * One frame is one message of the transport: u8 kind, u32be id, payload. The window numbers its calls and streams;
 * every frame about one carries its id. `data` carries bytes, `credit` a u32be, the others JSON or nothing.
 *
 * window -> host: call, open.   host -> window: result, failure, event (id 0), head.
 * both ways: data, end (half-close), reset (both directions at once, with the reason), credit.
 */
export const kinds = { call: 1, result: 2, failure: 3, event: 4, open: 5, head: 6, data: 7, end: 8, reset: 9, credit: 10 } as const;
export type FrameKind = keyof typeof kinds;

export interface Frame {
  readonly kind: FrameKind;
  readonly id: number;
  readonly payload: Uint8Array;
}

const headBytes = 5;
const kindOf = new Map<number, FrameKind>(Object.entries(kinds).map(([name, byte]) => [byte, name as FrameKind]));
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const nothing = new Uint8Array(0);

/** A frame in a buffer of exactly its size: a structured clone of a view would copy the whole buffer behind it. */
export function encodeFrame(kind: FrameKind, id: number, payload: Uint8Array = nothing): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headBytes + payload.byteLength);
  bytes[0] = kinds[kind];
  new DataView(bytes.buffer).setUint32(1, id);
  bytes.set(payload, headBytes);
  return bytes;
}

/** Throws `invalidArgument` for what is no frame. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.byteLength < headBytes || bytes.byteLength > bridgeLimits.frameBytesMax)
    throw new EngineError("invalidArgument", `a bridge frame has ${headBytes} to ${bridgeLimits.frameBytesMax} bytes, this one has ${bytes.byteLength}`);
  const kind = kindOf.get(bytes[0] ?? 0);
  if (kind === undefined) throw new EngineError("invalidArgument", `unknown kind of bridge frame: ${bytes[0]}`);
  const id = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1);
  return { kind, id, payload: bytes.subarray(headBytes) };
}

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value) ?? "null");

export function decodeJson(payload: Uint8Array): unknown {
  try {
    return payload.byteLength === 0 ? undefined : JSON.parse(decoder.decode(payload));
  } catch (error) {
    throw new EngineError("invalidArgument", "a bridge frame holds no valid JSON", { cause: error });
  }
}

export function encodeCredit(bytes: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, bytes);
  return payload;
}

export function decodeCredit(payload: Uint8Array): number {
  if (payload.byteLength !== 4) throw new EngineError("invalidArgument", "a credit frame carries four bytes");
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
}
