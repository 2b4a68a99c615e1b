import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { EngineError } from "#base/errors.ts";
import { checkKnown, invalidOption, type LogOptions, parseBool, parseInteger } from "#core/logs/options.ts";
import { extraAttributes } from "#core/logs/subject.ts";
import { logTag } from "#core/logs/tag.ts";
import type { LogMessage } from "./copier.ts";
import { dialError } from "./dial.ts";
import type { Transport } from "./outbox.ts";
import { attributeOptions, type Driver, hostPath, thisHost, type World } from "./world.ts";

const own = [
  ...["url", "token", "source", "sourcetype", "index", "capath", "caname", "insecureskipverify", "format"],
  ...["verify-connection", "gzip", "gzip-level", "index-acknowledgment"],
].map((name) => `splunk-${name}`);

/** Driver `splunk`: the HTTP event collector. */
export const splunk: Driver = (subject, options, world) => {
  checkKnown("splunk", options, [...own, ...attributeOptions]);
  const collector = new Collector(options, world);
  const tag = options["tag"] === "" ? "" : logTag(subject, options);
  const attributes = extraAttributes(subject, options);
  const event = eventOf(options["splunk-format"] ?? "inline", tag, attributes);
  const about = Object.fromEntries(["source", "sourcetype", "index"].flatMap((name) => (options[`splunk-${name}`] ? [[name, options[`splunk-${name}`]]] : [])));
  return {
    transport: collector,
    retries: { attemptsMax: Number.POSITIVE_INFINITY, retryMs: 1_000 },
    encode: (message) => {
      const made = event(message);
      if (made === undefined) return undefined;
      const micros = message.at / 1_000n;
      const time = `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, "0")}`;
      return Buffer.from(JSON.stringify({ event: made, time, host: thisHost, ...about }));
    },
  };
};

function eventOf(format: string, tag: string, attributes: Readonly<Record<string, string>>): (message: LogMessage) => unknown {
  const more = { ...(tag === "" ? {} : { tag }), ...(Object.keys(attributes).length === 0 ? {} : { attrs: attributes }) };
  const prefix = [...(tag === "" ? [] : [tag]), ...Object.entries(attributes).map(([name, value]) => `${name}=${value}`)].map((word) => `${word} `).join("");
  switch (format) {
    case "inline":
      return ({ stream, line }) => ({ line: line.toString(), source: stream, ...more });
    case "json":
      return ({ stream, line }) => ({ line: parsed(line.toString()), source: stream, ...more });
    case "raw":
      // The collector refuses empty events.
      return ({ line }) => (line.toString().trim() === "" ? undefined : `${prefix}${line.toString()}`);
    default:
      throw invalidOption(`unknown format specified ${format}, supported formats are inline, json and raw`);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

class Collector implements Transport {
  readonly #url: URL;
  readonly #token: string;
  readonly #verify: boolean;
  readonly #gzip: { readonly level: number } | undefined;
  readonly #channel: string | undefined;
  readonly #secure: () => RequestOptions;
  readonly #agent: PlainAgent | SecureAgent;
  #verified = false;

  constructor(options: LogOptions, world: World) {
    const given = options["splunk-url"] ?? "";
    if (given === "") throw invalidOption("splunk: splunk-url is expected");
    if (!options["splunk-token"]) throw invalidOption("splunk: splunk-token is expected");
    if (!/^https?:\/\/[^/?#\s]+\/?$/.test(given) || !URL.canParse(given))
      throw invalidOption("splunk: expected format scheme://dns_name_or_ip:port for splunk-url");
    const flag = (name: string, byDefault: boolean): boolean =>
      options[`splunk-${name}`] === undefined ? byDefault : parseBool(options[`splunk-${name}`] ?? "");
    this.#url = new URL("/services/collector/event/1.0", given);
    this.#token = options["splunk-token"];
    this.#verify = flag("verify-connection", true);
    this.#gzip = flag("gzip", false) ? { level: levelOf(options["splunk-gzip-level"]) } : undefined;
    this.#channel = flag("index-acknowledgment", false) ? randomUUID() : undefined;
    const rejectUnauthorized = !flag("insecureskipverify", false);
    const [capath, servername] = [options["splunk-capath"], options["splunk-caname"]];
    this.#secure = () => ({ rejectUnauthorized, ...(servername ? { servername } : {}), ...(capath ? { ca: certificate(capath, world) } : {}) });
    this.#agent = this.#url.protocol === "https:" ? new SecureAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
  }

  async connect(): Promise<void> {
    if (this.#verified) return;
    // A certificate that cannot be read is said first.
    this.#secure();
    if (this.#verify) await this.#send("OPTIONS", undefined, undefined);
    this.#verified = true;
  }

  async deliver(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    const body = Buffer.concat(messages);
    await this.#send("POST", this.#gzip ? gzipSync(body, this.#gzip) : body, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  async #send(method: string, body: Buffer | undefined, signal: AbortSignal | undefined): Promise<void> {
    const secure = this.#url.protocol === "https:";
    const headers = {
      Authorization: `Splunk ${this.#token}`,
      ...(body && this.#gzip ? { "Content-Encoding": "gzip" } : {}),
      ...(body && this.#channel !== undefined ? { "X-Splunk-Request-Channel": this.#channel } : {}),
      ...(body ? { "Content-Length": body.length } : {}),
    };
    const options = { method, headers: body ? headers : {}, agent: this.#agent, ...(signal ? { signal } : {}), ...(secure ? this.#secure() : {}) };
    const { status, said } = await new Promise<{ status: number; said: string }>((resolve, reject) => {
      const sent = (secure ? secureRequest : plainRequest)(this.#url, options, (answer) => {
        void text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, said }), reject);
      });
      sent.once("error", reject);
      sent.end(body);
    }).catch((error: unknown) => {
      const verb = method === "POST" ? "Post" : "Options";
      throw new EngineError("internal", `${verb} "${this.#url.href}": ${dialError(`tcp ${this.#url.host}`, error).message}`, { cause: error });
    });
    if (status !== 200)
      throw new EngineError("internal", `splunk: failed to ${body ? "send event" : "verify connection"} - ${status} - ${said.slice(0, 1_024)}`);
  }
}

function levelOf(text: string | undefined): number {
  const level = text === undefined ? -1 : parseInteger(text, "ParseInt");
  if (level < -1 || level > 9) throw invalidOption(`not supported level '${text}' for splunk-gzip-level (supported values between -1 and 9)`);
  return level;
}

function certificate(path: string, world: World): Buffer {
  try {
    return readFileSync(hostPath(world, path));
  } catch (error) {
    throw new EngineError("invalidArgument", `open ${path}: no such file or directory`, { cause: error });
  }
}
