import { EngineError } from "#base/errors.ts";

/** Cuts a byte stream into lines of JSON. A line that is no JSON object is dropped: a reconnected port may start in the middle of one. */
export class JsonLines {
  readonly #decoder = new TextDecoder();
  readonly #bytesMax: number;
  #rest = "";

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Uint8Array): Record<string, unknown>[] {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > this.#bytesMax) throw new EngineError("invalidArgument", `a line of more than ${this.#bytesMax} bytes`);
    return parts.flatMap(parseObject);
  }
}

function parseObject(line: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? [value] : [];
  } catch {
    return [];
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
