import { existsSync, readFileSync } from "node:fs";
import { rootCertificates, type ConnectionOptions } from "node:tls";
import { EngineError } from "#base/errors.ts";
import { formatNano } from "#core/clock/clock.ts";
import { checkKnown, invalidOption, type LogOptions } from "#core/logs/options.ts";
import { logTag } from "#core/logs/tag.ts";
import type { LogMessage } from "./copier.ts";
import { parseGoUrl, splitHostPort } from "./go-url.ts";
import { UdpTransport, UnixDatagramTransport } from "./datagram-transport.ts";
import type { Transport } from "./outbox.ts";
import { StreamTransport } from "./stream-transport.ts";
import { attributeOptions, type Driver, hostPath, thisHost, type World } from "./world.ts";

const own = ["address", "facility", "tls-ca-cert", "tls-cert", "tls-key", "tls-skip-verify", "format"].map((name) => `syslog-${name}`);
const facilities = ["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"];
const severity = { stdout: 6, stderr: 3 } as const;
const defaultPort = 514;
const localPaths = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/** Driver `syslog`: udp, tcp, tcp+tls, unix and unixgram; without an address the host's own. */
export const syslog: Driver = (subject, options, world) => {
  checkKnown("syslog", options, [...own, ...attributeOptions]);
  const transport = transportOf(options, world);
  const facility = facilityOf(options["syslog-facility"] ?? "");
  const format = formatOf(options["syslog-format"] ?? "");
  const tag = logTag(subject, options);
  const counted = options["syslog-address"]?.startsWith("tcp+tls:") === true && format.startsWith("rfc5424");
  return {
    transport,
    retries: { attemptsMax: 10, retryMs: 100 },
    encode: (message) => {
      const line = Buffer.concat([Buffer.from(head(format, (facility << 3) | severity[message.stream], tag, message)), message.line, newline]);
      // RFC 5425: over TLS each message has its length before it.
      return counted ? Buffer.concat([Buffer.from(`${line.length} `), line]) : line;
    },
  };
};

const newline = Buffer.from("\n");
const formats = ["", "rfc3164", "rfc5424", "rfc5424micro"] as const;
type Format = (typeof formats)[number];

function head(format: Format, priority: number, tag: string, { at }: LogMessage): string {
  switch (format) {
    case "":
      return `<${priority}>${stamp(at)} ${tag}[${process.pid}]: `;
    case "rfc3164":
      return `<${priority}>${stamp(at)} ${thisHost} ${tag}[${process.pid}]: `;
    case "rfc5424":
    case "rfc5424micro": {
      const time = formatNano(at - (at % 1_000n)).slice(0, 19);
      const micros = format === "rfc5424micro" ? `.${String((at / 1_000n) % 1_000_000n).padStart(6, "0")}` : "";
      return `<${priority}>1 ${time}${micros}Z ${thisHost} ${tag} ${process.pid} ${tag} - `;
    }
  }
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Nov  5 16:41:16`, in this host's time zone. */
function stamp(at: bigint): string {
  const date = new Date(Number(at / 1_000_000n));
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${date.toTimeString().slice(0, 8)}`;
}

function formatOf(text: string): Format {
  const format = formats.find((known) => known === text);
  if (format === undefined) throw invalidOption("Invalid syslog format");
  return format;
}

function facilityOf(text: string): number {
  const local = /^local([0-7])$/.exec(text)?.[1];
  const number = text === "" ? facilities.indexOf("daemon") : local === undefined ? facilities.indexOf(text) : 16 + Number(local);
  if (number >= 0) return number;
  if (/^\d+$/.test(text) && Number(text) <= 23) return Number(text);
  throw invalidOption("invalid syslog facility");
}

function transportOf(options: LogOptions, world: World): Transport {
  const address = options["syslog-address"] ?? "";
  if (address === "") return new LocalSyslog(world);
  const { scheme, host: where, path: shown } = parseGoUrl(address);
  if (scheme === "unix" || scheme === "unixgram") {
    const path = hostPath(world, shown);
    if (shown === "" || !existsSync(path)) throw invalidOption(`stat ${shown}: no such file or directory`);
    return scheme === "unix" ? new StreamTransport({ kind: "unix", path, shown }) : new UnixDatagramTransport(world.kernel, path, shown);
  }
  if (!["udp", "tcp", "tcp+tls"].includes(scheme)) throw invalidOption(`unsupported scheme: '${scheme}'`);
  const { host, port: given } = splitHostPort(where);
  const port = given === undefined ? defaultPort : Number(given);
  if (scheme === "udp") return new UdpTransport(host, port);
  return scheme === "tcp" ? new StreamTransport({ kind: "tcp", host, port }) : new SecureSyslog(options, world, host, port);
}

/** Reads its certificates when it connects, as dockerd does. */
class SecureSyslog implements Transport {
  readonly #make: () => StreamTransport;
  #made: StreamTransport | undefined;

  constructor(options: LogOptions, world: World, host: string, port: number) {
    this.#make = () => new StreamTransport({ kind: "tls", host, port, tls: tlsOptions(options, world) });
  }

  async connect(): Promise<void> {
    await (this.#made ??= this.#make()).connect();
  }

  async deliver(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    await this.#made?.deliver(messages, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#made?.[Symbol.asyncDispose]();
  }
}

function tlsOptions(options: LogOptions, world: World): ConnectionOptions {
  const read = (name: string, what: string): Buffer | undefined => {
    const path = options[`syslog-tls-${name}`];
    if (path === undefined || path === "") return undefined;
    try {
      return readFileSync(hostPath(world, path));
    } catch {
      throw invalidOption(`could not read ${what} ${JSON.stringify(path)}: open ${path}: no such file or directory`);
    }
  };
  const [ca, cert, key] = [read("ca-cert", "CA certificate"), read("cert", "X509 key pair"), read("key", "X509 key pair")];
  return {
    ...(ca ? { ca: [...rootCertificates, ca.toString()] } : {}),
    ...(cert && key ? { cert, key } : {}),
    // Its presence is what counts, whatever it says.
    rejectUnauthorized: options["syslog-tls-skip-verify"] === undefined,
  };
}

/** The syslog daemon of this host, wherever it listens. */
class LocalSyslog implements Transport {
  readonly #world: World;
  #found: Transport | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  async connect(): Promise<void> {
    for (const shown of this.#found ? [] : localPaths) {
      const path = hostPath(this.#world, shown);
      for (const transport of [new UnixDatagramTransport(this.#world.kernel, path, shown), new StreamTransport({ kind: "unix", path, shown })]) {
        const connected = await transport.connect().then(
          () => true,
          () => false,
        );
        if (!connected) continue;
        this.#found = transport;
        return;
      }
    }
    if (!this.#found) throw new EngineError("internal", "Unix syslog delivery error");
    await this.#found.connect();
  }

  async deliver(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    await this.#found?.deliver(messages, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#found?.[Symbol.asyncDispose]();
  }
}
