/**
 * etcd's v3 API as JSON over HTTP (its gRPC gateway, etcd.io/docs "api_grpc_gateway"): keys and values are base64, numbers are text.
 * The members are asked one after the other, from the one that answered last.
 */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { EngineError, messageOf } from "#base/errors.ts";

export interface EtcdOptions {
  readonly urls: readonly string[];
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

export interface WatchEvent {
  readonly kind: "put" | "delete";
  readonly key: string;
  readonly value: string;
}

/** What must hold for a transaction to be done: a key is missing (nothing below a prefix), unchanged since a revision, or has a value. */
export type Condition =
  | { readonly missing: string; readonly below?: true }
  | { readonly key: string; readonly revision: number }
  | { readonly key: string; readonly value: string };

export type Operation = { readonly put: string; readonly value: string; readonly lease?: string } | { readonly remove: string; readonly below?: true };

interface WireEntry {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
}

interface WireWatch {
  readonly result?: {
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly events?: readonly { readonly type?: string; readonly kv: WireEntry }[];
  };
  readonly error?: { readonly message?: string };
}

const answerMsMax = 3_000;
const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString();

/** The end of the range of keys that begin with `prefix`. */
const endOf = (prefix: string): string => `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
const rangeEnd = (prefix: string, below: boolean | undefined) => (below === true ? { range_end: encode(endOf(prefix)) } : {});

export class Etcd implements Disposable {
  readonly #urls: readonly string[];
  readonly #agents;
  #first = 0;

  constructor({ urls, tls = { ca: "", cert: "", key: "" } }: EtcdOptions) {
    this.#urls = urls;
    const { ca, ...own } = tls;
    const material = { ...(ca === "" ? {} : { ca }), ...(own.cert === "" ? {} : own) };
    this.#agents = { plain: new HttpAgent({ keepAlive: true }), tls: new HttpsAgent({ keepAlive: true, ...material }) };
  }

  /** All entries below a prefix, and the revision of the store that they are of. */
  async below(prefix: string): Promise<{ entries: Entry[]; revision: number }> {
    const answer = await this.#call<{ header: { revision: string }; kvs?: WireEntry[] }>("/v3/kv/range", { key: encode(prefix), ...rangeEnd(prefix, true) });
    return { entries: (answer.kvs ?? []).map(entryOf), revision: Number(answer.header.revision) };
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs = [] } = await this.#call<{ kvs?: WireEntry[] }>("/v3/kv/range", { key: encode(key) });
    return kvs[0] === undefined ? undefined : entryOf(kvs[0]);
  }

  /** Does all operations if every condition holds, else none; says which. */
  async transact(conditions: readonly Condition[], operations: readonly Operation[]): Promise<boolean> {
    const { succeeded = false } = await this.#call<{ succeeded?: boolean }>("/v3/kv/txn", {
      compare: conditions.map(compare),
      success: operations.map(operation),
    });
    return succeeded;
  }

  /** A lease: what is put under it is forgotten when it is not kept up for so long. */
  async grant(seconds: number): Promise<string> {
    return (await this.#call<{ ID: string }>("/v3/lease/grant", { TTL: seconds })).ID;
  }

  /** Whether it was still there. */
  async keepAlive(lease: string): Promise<boolean> {
    const { result } = await this.#call<{ result?: { TTL?: string } }>("/v3/lease/keepalive", { ID: lease });
    return Number(result?.TTL ?? 0) > 0;
  }

  /** What happens below a prefix from a revision on. Ends by an error, or when the signal aborts. */
  async *watch(prefix: string, from: number, signal: AbortSignal): AsyncGenerator<readonly WatchEvent[]> {
    const create_request = { key: encode(prefix), ...rangeEnd(prefix, true), start_revision: from, progress_notify: true };
    const response = await this.#open("/v3/watch", { create_request }, signal);
    for await (const line of lines(response)) {
      const { result, error } = JSON.parse(line) as WireWatch;
      if (error !== undefined || result?.canceled === true)
        throw new EngineError("unavailable", `etcd ends the watch: ${error?.message ?? result?.cancel_reason ?? ""}`);
      const events = (result?.events ?? []).map(
        ({ type, kv }): WatchEvent => ({ kind: type === "DELETE" ? "delete" : "put", key: decode(kv.key), value: decode(kv.value) }),
      );
      if (events.length > 0) yield events;
    }
    throw new EngineError("unavailable", "etcd ended the watch");
  }

  [Symbol.dispose](): void {
    this.#agents.plain.destroy();
    this.#agents.tls.destroy();
  }

  async #call<T>(path: string, body: unknown): Promise<T> {
    const signal = AbortSignal.timeout(answerMsMax * this.#urls.length);
    return JSON.parse((await (await this.#open(path, body, signal)).toArray()).join("")) as T;
  }

  async #open(path: string, body: unknown, signal: AbortSignal): Promise<Readable> {
    const failures: string[] = [];
    for (let tried = 0; tried < this.#urls.length; tried += 1) {
      const at = (this.#first + tried) % this.#urls.length;
      const url = this.#urls[at] ?? "";
      try {
        const response = await this.#post(new URL(path, url), JSON.stringify(body), signal);
        this.#first = at;
        return response;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(`${url}: ${messageOf(error)}`);
      }
    }
    throw new EngineError("unavailable", `no etcd answers (${failures.join("; ")})`);
  }

  #post(url: URL, body: string, signal: AbortSignal): Promise<IncomingMessage> {
    const secure = url.protocol === "https:";
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, signal, agent: secure ? this.#agents.tls : this.#agents.plain };
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
        request.setTimeout(0);
        if (response.statusCode === 200) return resolve(response);
        response.toArray().then((chunks) => reject(new Error(`status ${response.statusCode}: ${chunks.join("").slice(0, 300)}`)), reject);
      });
      // A member that is gone without a word must not keep the others from being asked.
      request.setTimeout(answerMsMax, () => request.destroy(new Error("it did not answer in time")));
      request.on("error", reject);
      request.end(body);
    });
  }
}

const entryOf = ({ key, value, mod_revision }: WireEntry): Entry => ({ key: decode(key), value: decode(value), revision: Number(mod_revision ?? 0) });

function compare(condition: Condition): unknown {
  if ("missing" in condition) {
    return { key: encode(condition.missing), ...rangeEnd(condition.missing, condition.below), target: "CREATE", result: "EQUAL", create_revision: "0" };
  }
  const key = encode(condition.key);
  if ("revision" in condition) return { key, target: "MOD", result: "EQUAL", mod_revision: String(condition.revision) };
  return { key, target: "VALUE", result: "EQUAL", value: encode(condition.value) };
}

function operation(what: Operation): unknown {
  if ("put" in what) return { request_put: { key: encode(what.put), value: encode(what.value), ...(what.lease === undefined ? {} : { lease: what.lease }) } };
  return { request_delete_range: { key: encode(what.remove), ...rangeEnd(what.remove, what.below) } };
}

async function* lines(source: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of source.setEncoding("utf8")) {
    const parts = `${rest}${chunk as string}`.split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") yield part;
  }
}
