import type { RegistryAuth } from "#core/registry/registry.ts";
import { codeOf, isClass } from "#base/errors.ts";
import { Authorizer } from "./authorizer.ts";
import type { Endpoint } from "./endpoints.ts";
import { failureOf } from "./failures.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";

export interface Ask {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | (() => AsyncIterable<Buffer>);
  /** Once, without patience: the caller has its own. */
  readonly once?: boolean;
  /** Statuses that are an answer; any other is a failure. */
  readonly accept: readonly number[];
  readonly signal: AbortSignal;
}

/** Requests to one endpoint under one identity: challenges are answered, tokens kept, the scheme found out. */
export class Conversation {
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  #endpoint: Endpoint;

  constructor(http: HttpClient, endpoint: Endpoint, auth: RegistryAuth) {
    this.#http = http;
    this.#endpoint = endpoint;
    this.#authorizer = new Authorizer(http, mayKnow(endpoint, auth) ? auth : {}, endpoint);
  }

  /** See `Authorizer.identity`. */
  get identity(): string {
    return this.#authorizer.identity;
  }

  /** `path` relative to the endpoint, or a whole URL that it named: there, credentials are shown only if it is the same server. */
  async ask(path: string, scope: string, ask: Ask): Promise<HttpResponse> {
    // What was shown, not what is known by now: another request may have found out meanwhile.
    const shown = this.#isOwn(path) ? this.#authorizer.known(scope) : undefined;
    let response = await this.#fetch(path, shown, ask);
    if (response.status === 401) {
      const challenge = response.headers["www-authenticate"];
      const refused = await failureOf(response);
      if (challenge === undefined || !this.#isOwn(path)) throw refused;
      const known = this.#authorizer.known(scope);
      const header = known !== undefined && known !== shown ? known : await this.#authorizer.answer(challenge, scope, ask.signal);
      // The same credentials refused once are refused again.
      if (header === shown) throw refused;
      response = await this.#fetch(path, header, ask);
    }
    if (ask.accept.includes(response.status)) return response;
    throw await failureOf(response);
  }

  /** Where `path` leads now that the scheme is known. */
  url(path: string): URL {
    return new URL(path, this.#endpoint.base);
  }

  #isOwn(path: string): boolean {
    return this.url(path).origin === this.#endpoint.base.origin;
  }

  async #fetch(path: string, authorization: string | undefined, ask: Ask): Promise<HttpResponse> {
    const send = (once: boolean): Promise<HttpResponse> =>
      this.#http.fetch(this.url(path), {
        signal: ask.signal,
        insecure: this.#endpoint.insecure,
        once: once || ask.once === true,
        ...(ask.method === undefined ? {} : { method: ask.method }),
        ...(ask.body === undefined ? {} : { body: ask.body }),
        ...(this.#endpoint.tls === undefined ? {} : { tls: this.#endpoint.tls }),
        headers: { ...ask.headers, ...(authorization === undefined ? {} : { authorization }) },
      });
    return this.#endpoint.otherScheme ? await this.#eitherScheme(send) : await send(false);
  }

  /** Insecure registries speak http or https: a TLS server answers plain http with 400 or hangs up. Decided by the first answer. */
  async #eitherScheme(send: (once: boolean) => Promise<HttpResponse>): Promise<HttpResponse> {
    const plain = this.#endpoint;
    let hungUp: unknown;
    try {
      const response = await send(true);
      if (response.status !== 400) this.#endpoint = { ...plain, otherScheme: false };
      if (response.status < 500 && ![400, 429].includes(response.status)) return response;
      response.body.resume();
      if (response.status !== 400) return await send(false);
    } catch (error) {
      const cause = error instanceof Error ? codeOf(error.cause) : undefined;
      if (!isClass(error, "unavailable") || !(cause?.startsWith("HPE_") || cause === "ECONNRESET")) throw error;
      hungUp = error;
    }
    this.#endpoint = { ...plain, base: new URL(plain.base.href.replace(/^http:/, "https:")), otherScheme: false };
    try {
      return await send(false);
    } catch (error) {
      if (hungUp === undefined || !speaksNoTls(error)) throw error;
      this.#endpoint = plain;
      throw hungUp;
    }
  }
}

const speaksNoTls = (error: unknown): boolean => error instanceof Error && /^EPROTO$|^ERR_SSL_/.test(codeOf(error.cause) ?? "");

/** A mirror of Docker Hub is somebody else's server. */
const mayKnow = ({ mirror, base }: Endpoint, { serveraddress }: RegistryAuth): boolean =>
  !mirror || serveraddress?.replace(/^https?:\/\//, "").split("/", 1)[0] === base.host;
