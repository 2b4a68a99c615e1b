import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { codeOf, EngineError } from "#base/errors.ts";

const hostPattern = /^[\w.-]+(:\d+)?$|^\[[0-9a-f:]+\](:\d+)?$/i;

/**
 * Certificates that users keep for a registry, as dockerd reads them: `DIRECTORY/HOST[:PORT]/` holds authorities (`*.crt`), and
 * our own certificates (`x.cert` with `x.key`) for registries that ask for one. Read anew at each conversation: no restart is
 * needed for a new file. Undefined where there is nothing for the host.
 */
export function registryCertificates(directory: string): (host: string) => SecureContext | undefined {
  return (host) => {
    if (!hostPattern.test(host)) return undefined;
    const place = join(directory, host);
    const names = filesIn(place);
    const read = (name: string): Buffer => readFileSync(join(place, name));
    const authorities = names
      .filter((name) => name.endsWith(".crt"))
      .map((name) => {
        const bytes = read(name);
        if (!bytes.includes("-----BEGIN ")) throw new EngineError("invalidArgument", `${join(place, name)} holds no certificate; it must be in PEM form`);
        return bytes;
      });
    const own = names.filter((name) => name.endsWith(".cert"));
    for (const name of names.filter((one) => one.endsWith(".key"))) needs(names, name, ".key", ".cert", place);
    for (const name of own) needs(names, name, ".cert", ".key", place);
    if (authorities.length === 0 && own.length === 0) return undefined;
    try {
      return createSecureContext({
        ca: [...rootCertificates, ...authorities],
        cert: own.map(read),
        key: own.map((name) => read(name.replace(/\.cert$/, ".key"))),
      });
    } catch (error) {
      throw new EngineError("invalidArgument", `the certificates in ${place} cannot be used: ${(error as Error).message}`, { cause: error });
    }
  };
}

function filesIn(place: string): string[] {
  try {
    return readdirSync(place).toSorted();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return [];
    throw new EngineError("invalidArgument", `${place} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** dockerd's own sentence. */
function needs(names: readonly string[], name: string, ending: ".key" | ".cert", other: ".key" | ".cert", place: string): void {
  const wanted = name.slice(0, -ending.length) + other;
  if (names.includes(wanted)) return;
  const [kind, missing] = ending === ".cert" ? ["client certificate", "key"] : ["client key", "client certificate"];
  throw new EngineError(
    "invalidArgument",
    ending === ".cert"
      ? `missing ${missing} ${wanted} for ${kind} ${name}. CA certificates must use the extension .crt (in ${place})`
      : `missing ${missing} ${wanted} for ${kind} ${name} (in ${place})`,
  );
}
