import { EngineError } from "#base/errors.ts";

const named: Readonly<Record<string, number>> = { "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, _: 31 };

/** `ctrl-p,ctrl-q`: what detaches when nothing else is asked for. */
const byDefault = Buffer.from([16, 17]);

/** Reads `ctrl-a,x,ctrl-@` as the docker CLI writes it; "" means the default. */
export function parseDetachKeys(text: string): Buffer {
  if (text === "") return byDefault;
  const bytes = text.split(",").map((key) => {
    if (key === "DEL") return 127;
    const control = /^ctrl-(.)$/.exec(key)?.[1];
    if (control !== undefined) return control >= "a" && control <= "z" ? control.charCodeAt(0) - 96 : named[control];
    return Buffer.byteLength(key) === 1 ? key.charCodeAt(0) : undefined;
  });
  if (bytes.some((byte) => byte === undefined)) throw new EngineError("invalidArgument", `Invalid detach keys (${text}) provided`);
  return Buffer.from(bytes as number[]);
}
