import type { IncomingHttpHeaders } from "node:http";
import type { Duplex, Readable } from "node:stream";
import type { Shape } from "#api/decode.ts";
import type { ApiVersion } from "#api/versions.ts";
import type { Query } from "./query.ts";

/**
 * What a handler sees of a request. Handlers translate only: they decode, call the narrowest interface that does the work,
 * and answer. Whatever they throw becomes the error body with the status of its class.
 */
export interface RequestContext<Param extends string = string> {
  readonly method: string;
  /** Path without version prefix and query. */
  readonly path: string;
  readonly version: ApiVersion;
  /** Values of the pattern's `{name}`s, percent-decoded. */
  readonly params: Readonly<Record<Param, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Aborts when the client is gone before the answer is whole. */
  readonly signal: AbortSignal;
  /** The raw body: for archives and image loads. */
  readonly body: Readable;
  /** The JSON body by its shape, decoded as dockerd does; undefined when there is none. Read once. */
  json(shape: Shape): Promise<unknown>;
  /** Takes the connection over: the head is written, and from then on the bytes are the handler's alone. Answer `hijacked` afterwards. */
  hijack(head: HijackHead): Duplex;
  /** The same as a WebSocket. */
  webSocket(): Promise<Duplex>;
}

export interface HijackHead {
  /** Told only to clients that asked to upgrade; dockerd says `raw-stream` to all others. */
  readonly contentType: string;
}

/** One of `json`, `text`, `stream` or nothing. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Sent as it comes, the head at once; a piece is not needed once the next is asked for. If it throws, the connection is cut so that the client sees the answer is not whole. */
  readonly stream?: AsyncIterable<Uint8Array | string>;
}

/** What a handler returns after `hijack`. */
export const hijacked = { status: 101, hijacked: true } as const;

export type Reply = Answer | typeof hijacked;
export type Handler<Param extends string = string> = (context: RequestContext<Param>) => Promise<Reply> | Reply;

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

/** `{id}` takes one path segment, `{name...}` any number of them (image names hold slashes). */
export interface Route {
  readonly method: Method;
  readonly pattern: string;
  readonly handler: Handler;
  /** Served on a connection the client asked to upgrade (attach, exec). */
  readonly upgrades: boolean;
}

type ParamsOf<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}` ? NameOf<Name> | ParamsOf<Rest> : never;
type NameOf<Text extends string> = Text extends `${infer Name}...` ? Name : Text;

/** One row of a route table; the handler's `params` are typed by the pattern. */
export function route<Pattern extends string>(method: Method, pattern: Pattern, handler: Handler<ParamsOf<Pattern>>, opts: { upgrades?: boolean } = {}): Route {
  return { method, pattern, handler: handler as Handler, upgrades: opts.upgrades ?? false };
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Row {
  readonly route: Route;
  readonly regexp: RegExp;
}

/** Finds the row for a method and a path. Rows are asked in order, so that a fixed path goes before a pattern; a pattern's first segment is fixed. */
export class Router {
  /** By method and first segment. */
  readonly #rows = new Map<string, Row[]>();

  constructor(routes: readonly Route[]) {
    for (const row of routes) {
      const key = keyOf(row.method, row.pattern);
      const rows = this.#rows.get(key) ?? [];
      rows.push({ route: row, regexp: compile(row.pattern) });
      this.#rows.set(key, rows);
    }
  }

  /** Undefined: no such page. Throws URIError when the path is not sound percent-encoding. */
  match(method: string, path: string): Match | undefined {
    for (const { route: row, regexp } of this.#rows.get(keyOf(method, path)) ?? []) {
      const found = regexp.exec(path);
      if (found === null) continue;
      const params = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)] as const);
      return { route: row, params: Object.fromEntries(params) };
    }
    return undefined;
  }
}

function keyOf(method: string, path: string): string {
  const end = path.indexOf("/", 1);
  return `${method} ${end < 0 ? path : path.slice(0, end)}`;
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(/\{(\w+)(\.\.\.)?\}|[.*+?^$()|[\]\\]/g, (all: string, name: string | undefined, spans: string | undefined) => {
    if (name === undefined) return `\\${all}`;
    return spans === undefined ? `(?<${name}>[^/]+)` : `(?<${name}>.+)`;
  });
  return new RegExp(`^${source}$`);
}

/** Splits `/v1.44/containers/json` into version and path; a path without a version means the newest. */
export function splitVersion(path: string): { readonly version: string | undefined; readonly path: string } {
  const found = /^\/v(\d+\.\d+)(\/.*)$/.exec(path);
  return found === null ? { version: undefined, path } : { version: found[1], path: found[2] ?? "/" };
}
