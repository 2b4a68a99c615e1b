import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { EngineError } from "#base/errors.ts";
import { checkKnown, invalidOption, type LogOptions, parseBool, parseDuration, parseInteger, parseSize, within } from "#core/logs/options.ts";
import { extraAttributes } from "#core/logs/subject.ts";
import { logTag } from "#core/logs/tag.ts";
import type { LogMessage } from "./copier.ts";
import type { Destination } from "./dial.ts";
import { parseGoUrl } from "./go-url.ts";
import { eventTime, packArray, packMap, packString, packUint32 } from "./msgpack.ts";
import { StreamTransport } from "./stream-transport.ts";
import { attributeOptions, type Driver, hostPath, type World } from "./world.ts";

const own = [
  "address",
  "async",
  "async-reconnect-interval",
  "buffer-limit",
  "max-retries",
  "request-ack",
  "retry-wait",
  "sub-second-precision",
  "write-timeout",
].map((name) => `fluentd-${name}`);
const defaultPort = 24224;

/** Driver `fluentd`: the forward protocol, one message an entry. */
export const fluentd: Driver = (subject, options, world) => {
  checkKnown("fluentd", options, [...own, ...attributeOptions]);
  const destination = destinationOf(options["fluentd-address"] ?? "", world);
  const settings = settingsOf(options);
  const tag = packString(logTag(subject, options));
  const extra = extraAttributes(subject, options);
  const chunks = new WeakMap<Buffer, string>();
  const record = (message: LogMessage): Buffer =>
    packMap({
      container_id: subject.id,
      container_name: `/${subject.name}`,
      source: message.stream,
      log: message.line,
      ...extra,
      ...(message.partial
        ? {
            partial_message: "true",
            partial_id: message.partial.id,
            partial_ordinal: String(message.partial.ordinal),
            partial_last: String(message.partial.last),
          }
        : {}),
    });
  return {
    transport: new StreamTransport(destination, settings.ack ? (socket, messages) => acknowledged(socket, messages, chunks) : undefined),
    retries: { attemptsMax: settings.attemptsMax, retryMs: settings.retryMs },
    bytesMax: settings.bytesMax,
    lazy: settings.async,
    encode: (message) => {
      const time = settings.subSecond ? eventTime(message.at) : packUint32(Number(message.at / 1_000_000_000n));
      const chunk = settings.ack ? randomBytes(18).toString("base64") : undefined;
      const bytes = packArray([tag, time, record(message), packMap(chunk === undefined ? {} : { chunk })]);
      if (chunk !== undefined) chunks.set(bytes, chunk);
      return bytes;
    },
  };
};

/** The receiver names each chunk it has taken. */
async function acknowledged(socket: Socket, messages: readonly Buffer[], chunks: WeakMap<Buffer, string>): Promise<void> {
  const missing = new Set(messages.map((message) => chunks.get(message) ?? ""));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const closed = (): void => reject(new EngineError("internal", "the connection ended before all was acknowledged"));
    const heard = (bytes: Buffer): void => {
      said += bytes.toString("latin1");
      for (const chunk of missing) if (said.includes(chunk)) missing.delete(chunk);
      if (missing.size > 0) return;
      socket.off("data", heard).off("close", closed);
      socket.pause();
      resolve();
    };
    socket.on("data", heard).once("close", closed);
    socket.resume();
  });
}

function settingsOf(options: LogOptions): {
  readonly async: boolean;
  readonly ack: boolean;
  readonly subSecond: boolean;
  readonly bytesMax: number;
  readonly attemptsMax: number;
  readonly retryMs: number;
} {
  const given = <T>(name: string, byDefault: T, read: (text: string) => T): T => {
    const text = options[`fluentd-${name}`];
    return text === undefined || text === "" ? byDefault : read(text);
  };
  const interval = given("async-reconnect-interval", 0, (text) => within("invalid value for fluentd-async-reconnect-interval", () => parseDuration(text)));
  if (interval !== 0 && (interval < 100 || interval > 10_000)) {
    throw invalidOption(
      `invalid value for fluentd-async-reconnect-interval: value (${JSON.stringify(options["fluentd-async-reconnect-interval"])}) must be between 100ms and 10s`,
    );
  }
  const timeout = given("write-timeout", 0, (text) => within("invalid value for fluentd-write-timeout: value must be a duration", () => parseDuration(text)));
  if (timeout < 0) throw invalidOption("invalid value for fluentd-write-timeout: value must be a duration that is non-negative");
  return {
    async: given("async", false, parseBool),
    ack: given("request-ack", false, parseBool),
    subSecond: given("sub-second-precision", false, parseBool),
    bytesMax: given("buffer-limit", 8 * 1024 * 1024, parseSize),
    attemptsMax: given("max-retries", Number.POSITIVE_INFINITY, (text) => parseInteger(text, "ParseUint")),
    retryMs: given("retry-wait", 1_000, parseDuration),
  };
}

function destinationOf(address: string, world: World): Destination {
  const bad = (why: string): EngineError => invalidOption(`invalid fluentd-address (${address}): ${why}`);
  const {
    scheme,
    host: where,
    path,
  } = within(`invalid fluentd-address (${address})`, () => parseGoUrl(address.includes("://") ? address : `tcp://${address}`));
  if (scheme === "unix") {
    const shown = path.replace(/\/+$/, "");
    if (shown === "") throw bad("path is empty");
    return { kind: "unix", path: hostPath(world, shown), shown };
  }
  if (scheme !== "tcp" && scheme !== "tls") throw bad(`unsupported scheme: '${scheme}'`);
  if (path !== "") throw bad("should not contain a path element");
  const [, host = "", port] = /^(\[[^\]]*\]|.*?)(?::(\d*))?$/.exec(where) ?? [];
  const number = port === undefined || port === "" ? defaultPort : Number(port);
  if (number > 65_535) throw bad(`invalid port: strconv.ParseUint: parsing ${JSON.stringify(port)}: value out of range`);
  const to = { host: host.replace(/^\[|\]$/g, "") || "127.0.0.1", port: number };
  return scheme === "tls" ? { kind: "tls", ...to, tls: {} } : { kind: "tcp", ...to };
}
