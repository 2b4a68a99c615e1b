import * as v from "valibot";
import { EngineError } from "#base/errors.ts";
import type { CallArg, CallName, EngineRequest, Settings, StreamOpen } from "./bridge.ts";
import { languages } from "./language.ts";
import { bridgeLimits } from "./limits.ts";

/**
 * What the host core accepts from a window: every call's argument and every stream is checked here, once, before any
 * code of ours sees it. The table is complete by its type.
 */
const headers = v.record(
  v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "a header's name has letters, digits and dashes")),
  v.pipe(v.string(), v.maxLength(16 * 1024), v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, "a header's value has no line breaks")),
);

const engineId = v.pipe(v.string(), v.minLength(1), v.maxLength(300));

const engineRequest = v.strictObject({
  method: v.picklist(["GET", "POST", "PUT", "DELETE", "HEAD"]),
  // A path of this engine only: no host, no spaces, no line breaks.
  path: v.pipe(v.string(), v.maxLength(64 * 1024), v.regex(/^\/(?!\/)[\x21-\x7e]*$/, "a path begins with one / and is percent-encoded")),
  headers: v.exactOptional(headers),
  body: v.optional(v.unknown()),
  engine: v.exactOptional(engineId),
});

const folder = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));

const streamOpen = v.strictObject({
  request: engineRequest,
  kind: v.picklist(["download", "upload", "upgrade"]),
  windowBytes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(bridgeLimits.windowBytesMax)),
  context: v.exactOptional(
    v.strictObject({
      folder,
      // In the folder, and nowhere above it.
      dockerfile: v.pipe(folder, v.regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))/, "a Dockerfile's path begins in its folder and stays there")),
    }),
  ),
});

const engineAddress = {
  url: v.pipe(
    v.string(),
    v.maxLength(1024),
    v.regex(/^(?:unix|npipe|tcp|ssh):\/\/\P{Cc}+$/u, "an engine's address begins with tcp://, ssh://, unix:// or npipe://"),
  ),
  tls: v.exactOptional(
    v.strictObject({ ca: v.exactOptional(folder), cert: v.exactOptional(folder), key: v.exactOptional(folder), skipVerify: v.exactOptional(v.boolean()) }),
  ),
};
const engineName = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80));

/** Smallest and largest values a setting may have; the machine's own limits are the host's. */
export const settingsSchema = v.strictObject({
  theme: v.picklist(["system", "light", "dark"]),
  language: v.picklist(["system", ...languages]),
  memoryMiB: v.pipe(v.number(), v.integer(), v.minValue(512), v.maxValue(1024 * 1024)),
  cpus: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(256)),
  diskGiB: v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(16 * 1024)),
  folders: v.pipe(v.array(folder), v.maxLength(16)),
  hostAccess: v.boolean(),
  tray: v.boolean(),
  onClose: v.picklist(["hide", "quit"]),
  notify: v.array(v.picklist(["exits", "health", "engine"])),
  engines: v.pipe(v.array(v.strictObject({ id: engineId, name: engineName, ...engineAddress })), v.maxLength(100)),
  contextAsked: v.boolean(),
});

const nothing = v.undefined();

const argSchemas: { readonly [C in CallName]: v.GenericSchema<unknown, CallArg<C>> } = {
  "engine.request": engineRequest as v.GenericSchema<unknown, EngineRequest>,
  "host.info": nothing,
  "machine.status": nothing,
  "machine.start": nothing,
  "machine.stop": nothing,
  "machine.restart": nothing,
  "machine.erase": nothing,
  "machine.repair": nothing,
  "config.get": nothing,
  "config.set": v.strictObject({ text: v.pipe(v.string(), v.maxLength(1024 * 1024)) }),
  "context.status": nothing,
  "context.use": v.strictObject({ on: v.boolean() }),
  "diagnostics.run": nothing,
  "folders.list": v.strictObject({ path: v.pipe(v.string(), v.maxLength(4096)) }),
  "files.read": v.strictObject({ path: folder }),
  "files.write": v.strictObject({ path: folder, text: v.pipe(v.string(), v.maxLength(1024 * 1024)), version: v.pipe(v.string(), v.maxLength(64)) }),
  "engines.list": nothing,
  "engines.check": v.strictObject(engineAddress),
  "engines.add": v.strictObject({ name: engineName, ...engineAddress }),
  "engines.remove": v.strictObject({ id: engineId }),
  "engines.status": v.strictObject({ id: engineId }),
  "engines.connect": v.strictObject({ id: engineId }),
  "settings.get": nothing,
  "settings.defaults": nothing,
  "settings.set": v.partial(settingsSchema) as v.GenericSchema<unknown, Partial<Settings>>,
};

const envelope = v.strictObject({
  name: v.pipe(
    v.string(),
    v.check((name) => Object.hasOwn(argSchemas, name), "no such call"),
  ),
  arg: v.optional(v.unknown()),
});

/** Checks `value`; class `invalidArgument`, naming the place, when it does not fit. */
export function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  throw new EngineError("invalidArgument", `${what}: ${place === null ? "" : `${place}: `}${issue.message}`);
}

/** A call as the window sent it: a known name with an argument that fits. */
export function parseCall(value: unknown): { readonly name: CallName; readonly arg: unknown } {
  const { name, arg } = parse(envelope, value, "a call over the bridge");
  return { name: name as CallName, arg: parse(argSchemas[name as CallName] as v.GenericSchema, arg, name) };
}

export const parseStreamOpen = (value: unknown): StreamOpen => parse(streamOpen as v.GenericSchema<unknown, StreamOpen>, value, "a stream over the bridge");
