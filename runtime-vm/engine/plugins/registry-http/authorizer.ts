import type { RegistryAuth } from "#core/registry/registry.ts";
import { EngineError } from "#base/errors.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import type { Endpoint } from "./endpoints.ts";
import { parseAnswer, readBody, type HttpClient } from "./http-client.ts";

const tokenBytesMax = 1024 * 1024;
/** Who asks, to token servers. */
const clientId = "slipway";

/**
 * Answers a registry's challenges: Basic, or Bearer by fetching a token (distribution-spec "token" and "oauth").
 * Tokens are kept for each scope and fetched anew when the registry refuses one.
 */
export class Authorizer {
  readonly #http: HttpClient;
  readonly #auth: RegistryAuth;
  readonly #endpoint: Endpoint;
  readonly #headers = new Map<string, string>();
  /** Tokens on their way: layers pushed side by side ask for one. */
  readonly #fetching = new Map<string, Promise<string>>();
  #identity: string;

  constructor(http: HttpClient, auth: RegistryAuth, endpoint: Endpoint) {
    this.#http = http;
    this.#auth = auth;
    this.#endpoint = endpoint;
    this.#identity = auth.identitytoken ?? "";
    if (auth.registrytoken) this.#headers.set("", `Bearer ${auth.registrytoken}`);
  }

  /** What stands for the login from now on instead of a password; "" when nothing of the kind was handed out. */
  get identity(): string {
    return this.#identity;
  }

  /** The Authorization header known to work for `scope` (several are divided by spaces); undefined before the first challenge. */
  known(scope: string): string | undefined {
    return this.#headers.get(scope) ?? this.#headers.get("");
  }

  /** Rejects as unauthorized when the challenge cannot be met with what we have. */
  async answer(challenge: string, scope: string, signal: AbortSignal): Promise<string> {
    const challenges = parseChallenges(challenge);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer?.parameters["realm"] !== undefined) {
      const fetching = this.#fetching.get(scope) ?? this.#token(bearer, scope, signal).finally(() => this.#fetching.delete(scope));
      this.#fetching.set(scope, fetching);
      const header = `Bearer ${await fetching}`;
      this.#headers.set(scope, header);
      return header;
    }
    if (challenges.some(({ scheme }) => scheme === "basic")) {
      const header = this.#basic();
      if (header === undefined) throw new EngineError("unauthorized", "no basic auth credentials");
      this.#headers.set("", header);
      return header;
    }
    throw new EngineError("unauthorized", "unauthorized: authentication required");
  }

  #basic(): string | undefined {
    const { username, password } = this.#auth;
    return username ? `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}` : undefined;
  }

  /** Nothing is asked for by name at a login only: that is to last (distribution-spec "token": offline_token). */
  async #token({ parameters }: Challenge, scope: string, signal: AbortSignal): Promise<string> {
    const url = this.#realm(parameters["realm"]!);
    const service = parameters["service"] === undefined ? {} : { service: parameters["service"] };
    const basic = this.#basic();
    const post = this.#auth.identitytoken !== undefined && this.#auth.identitytoken !== "";
    if (!post) {
      const account = basic === undefined ? {} : { account: this.#auth.username! };
      for (const [name, value] of Object.entries(scope === "" ? { ...account, client_id: clientId, offline_token: "true" } : {}))
        url.searchParams.set(name, value);
      for (const [name, value] of Object.entries(service)) url.searchParams.set(name, value);
      for (const one of scope.split(" ").filter((part) => part !== "")) url.searchParams.append("scope", one);
    }
    const fields = { ...service, ...(scope === "" ? {} : { scope }) };
    const { insecure, tls, base } = this.#endpoint;
    const response = await this.#http.fetch(url, {
      signal,
      insecure,
      ...(tls === undefined || url.host !== base.host ? {} : { tls }),
      ...(post
        ? {
            method: "POST",
            secret: true,
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: new URLSearchParams({ ...fields, grant_type: "refresh_token", refresh_token: this.#auth.identitytoken!, client_id: clientId }).toString(),
          }
        : { headers: basic === undefined ? {} : { authorization: basic } }),
    });
    const body = await readBody(response, tokenBytesMax);
    if (response.status === 401 || response.status === 403) throw new EngineError("unauthorized", "unauthorized: incorrect username or password");
    if (response.status !== 200) throw new EngineError("unavailable", `${url.origin}${url.pathname} answered ${response.status} to the request for a token`);
    const answer = parseAnswer(body, "the request for a token");
    const token = answer["token"] || answer["access_token"];
    if (typeof token !== "string" || token === "") throw new EngineError("unavailable", "authorization server did not include a token in the response");
    if (scope === "" && typeof answer["refresh_token"] === "string") this.#identity = answer["refresh_token"];
    return token;
  }

  /** Where the registry sends for a token; never in the clear from a registry that is spoken to under TLS. */
  #realm(text: string): URL {
    const { base, insecure } = this.#endpoint;
    if (!URL.canParse(text)) throw new EngineError("unavailable", `${base.origin} asks for a token from ${JSON.stringify(text)}, which is no address`);
    const url = new URL(text);
    if (url.protocol === "https:" || (url.protocol === "http:" && (insecure || base.protocol === "http:"))) return url;
    throw new EngineError("unavailable", `${base.origin} asks for a token from ${url.origin}; that is refused, because it is not https`);
  }
}
