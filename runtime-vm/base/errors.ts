/**
 * The closed set of failures the project speaks of. Each program translates a class at its own edge
 * (the engine to an HTTP status, the window to a sentence and a button) and never looks at message texts.
 */
export type ErrorClass =
  | "notFound"
  | "conflict"
  | "invalidArgument"
  | "notModified"
  | "unauthorized"
  | "forbidden"
  | "unavailable"
  | "notImplemented"
  | "exhausted"
  | "cancelled"
  | "internal";

/** A failure with a class, a sentence for people (object, reason, what to do) and the cause kept. */
export class EngineError extends Error {
  readonly class: ErrorClass;
  constructor(cls: ErrorClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineError";
    this.class = cls;
  }
}

export const isClass = (error: unknown, cls: ErrorClass): error is EngineError => error instanceof EngineError && error.class === cls;

/** The sentence of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** There was no room on the disk, or none left of a quota. */
export const isDiskFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "");

/** Node's errno name (`ENOENT`), when the error carries one. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : undefined;
