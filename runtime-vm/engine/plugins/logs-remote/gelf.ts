import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";
import { EngineError, messageOf } from "#base/errors.ts";
import { checkKnown, invalidOption, type LogOptions } from "#core/logs/options.ts";
import { extraAttributes } from "#core/logs/subject.ts";
import { logTag } from "#core/logs/tag.ts";
import { parseGoUrl } from "./go-url.ts";
import { UdpTransport } from "./datagram-transport.ts";
import type { Transport } from "./outbox.ts";
import { StreamTransport } from "./stream-transport.ts";
import { attributeOptions, type Driver, thisHost } from "./world.ts";

const own = ["address", "compression-level", "compression-type", "tcp-max-reconnect", "tcp-reconnect-delay"].map((name) => `gelf-${name}`);
/** The payload of a datagram that fits through an ordinary network in one piece. */
const datagramBytesMax = 1_420;
const chunkHeaderBytes = 12;
const chunksMax = 128;

/** Driver `gelf`: Graylog's format over udp (compressed, in chunks when large) or tcp. */
export const gelf: Driver = (subject, options) => {
  const { scheme, host, port } = addressOf(options);
  checkKnown("gelf", options, [...own, ...attributeOptions], (name) => `unknown log opt ${JSON.stringify(name)} for gelf log driver`);
  const compress = compressionOf(options, scheme);
  const [reconnects, delay] = [reconnectOf(options, scheme, "max-reconnect", 3), reconnectOf(options, scheme, "reconnect-delay", 1)];
  const extra = {
    ...extraAttributes(subject, options, (name) => (name.startsWith("_") ? name : `_${name}`)),
    _command: subject.command.join(" "),
    _container_id: subject.id,
    _container_name: subject.name,
    _created: subject.createdAt,
    _image_id: subject.imageId,
    _image_name: subject.imageName,
    _tag: logTag(subject, options),
  };
  return {
    transport: scheme === "udp" ? new ChunkedUdp(host, port) : new NamedTcp(host, port),
    retries: { attemptsMax: reconnects + 1, retryMs: delay * 1_000 },
    encode: ({ stream, line, at }) => {
      const document = {
        version: "1.1",
        host: thisHost,
        short_message: line.toString(),
        timestamp: Number(at / 1_000_000n) / 1_000,
        level: stream === "stderr" ? 3 : 6,
        ...extra,
      };
      const text = Buffer.from(JSON.stringify(document));
      return scheme === "udp" ? compress(text) : Buffer.concat([text, Buffer.alloc(1)]);
    },
  };
};

/** dockerd puts its own words before a failed connection. */
class NamedTcp extends StreamTransport {
  readonly #name: string;

  constructor(host: string, port: number) {
    super({ kind: "tcp", host, port });
    this.#name = `${host}:${port}`;
  }

  override async connect(): Promise<void> {
    try {
      await super.connect();
    } catch (error) {
      throw new EngineError("internal", `gelf: cannot connect to GELF endpoint: ${this.#name} ${messageOf(error)}`, { cause: error });
    }
  }
}

class ChunkedUdp extends UdpTransport implements Transport {
  override async deliver(messages: readonly Buffer[]): Promise<void> {
    for (const message of messages) await super.deliver(chunked(message));
  }
}

/** The datagrams of one message: itself, or pieces with magic, id, number and count. More than fit are not sent. */
export function chunked(message: Buffer): Buffer[] {
  if (message.length <= datagramBytesMax) return [message];
  const room = datagramBytesMax - chunkHeaderBytes;
  const count = Math.ceil(message.length / room);
  if (count > chunksMax) return [];
  const id = randomBytes(8);
  return Array.from({ length: count }, (_, n) =>
    Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([n, count]), message.subarray(n * room, (n + 1) * room)]),
  );
}

function addressOf(options: LogOptions): { scheme: "udp" | "tcp"; host: string; port: number } {
  const address = options["gelf-address"] ?? "";
  if (address === "") throw invalidOption("gelf-address is a required parameter");
  const { scheme, host: where } = parseGoUrl(address);
  if (scheme !== "udp" && scheme !== "tcp") throw invalidOption("gelf: endpoint needs to be TCP or UDP");
  const [, host, port] = /^(\[[^\]]+\]|[^:]*):(\d*)$/.exec(where) ?? [];
  if (host === undefined || port === undefined) throw invalidOption("gelf: please provide gelf-address as proto://host:port");
  return { scheme, host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function compressionOf(options: LogOptions, scheme: "udp" | "tcp"): (text: Buffer) => Buffer {
  const [type, level] = [options["gelf-compression-type"], options["gelf-compression-level"]];
  if (scheme === "tcp" && (type !== undefined || level !== undefined)) throw invalidOption("compression is only supported on UDP");
  const bad = (name: string, value: string): EngineError =>
    invalidOption(`unknown value ${JSON.stringify(value)} for log opt "gelf-compression-${name}" for gelf log driver`);
  if (type !== undefined && !["gzip", "zlib", "none"].includes(type)) throw bad("type", type);
  if (level !== undefined && (!/^-?\d+$/.test(level) || Number(level) < -1 || Number(level) > 9)) throw bad("level", level);
  const zip = { level: level === undefined ? 1 : Number(level) };
  return type === "none" ? (text) => text : type === "zlib" ? (text) => deflateSync(text, zip) : (text) => gzipSync(text, zip);
}

function reconnectOf(options: LogOptions, scheme: "udp" | "tcp", name: string, byDefault: number): number {
  const text = options[`gelf-tcp-${name}`];
  if (text === undefined) return byDefault;
  if (scheme !== "tcp") throw invalidOption(`"gelf-tcp-${name}" is only valid for TCP`);
  if (!/^\d+$/.test(text)) throw invalidOption(`"gelf-tcp-${name}" must be a positive integer`);
  return Number(text);
}
