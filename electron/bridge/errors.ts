import { EngineError, type ErrorClass, messageOf } from "#base/errors.ts";

/** An error as it crosses the bridge: its class and its sentence, never a stack. */
export interface WireError {
  readonly class: ErrorClass;
  readonly message: string;
}

const classes: Readonly<Record<ErrorClass, true>> = {
  notFound: true,
  conflict: true,
  invalidArgument: true,
  notModified: true,
  unauthorized: true,
  forbidden: true,
  unavailable: true,
  notImplemented: true,
  exhausted: true,
  cancelled: true,
  internal: true,
};

export const toWire = (error: unknown): WireError => ({ class: error instanceof EngineError ? error.class : "internal", message: messageOf(error) });

/** Takes whatever the far end sent; what is not an error of ours becomes class `internal`. */
export function fromWire(value: unknown): EngineError {
  if (typeof value !== "object" || value === null) return new EngineError("internal", String(value));
  const message = "message" in value && typeof value.message === "string" ? value.message : "the far end gave no reason";
  const cls = "class" in value && typeof value.class === "string" && Object.hasOwn(classes, value.class) ? (value.class as ErrorClass) : "internal";
  return new EngineError(cls, message);
}
