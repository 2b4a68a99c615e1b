import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Keys handed out in one run; a page asks for one each time it is opened with a fresh token. */
const keysMax = 64;

/**
 * Who may use the loopback server: whoever opens an address this program printed. Its one-time token is exchanged for
 * a key that the page keeps in its sessionStorage; there are no cookies, since those ignore ports.
 */
export class Access {
  #token = secret();
  readonly #keys: string[] = [];

  /** Good for one exchange; a new one takes its place then. */
  get token(): string {
    return this.#token;
  }

  /** A key for the token, once; undefined for anything but the current token. */
  exchange(token: string): string | undefined {
    if (!same(token, this.#token)) return undefined;
    this.#token = secret();
    const key = secret();
    this.#keys.push(key);
    if (this.#keys.length > keysMax) this.#keys.shift();
    return key;
  }

  permits(key: string): boolean {
    return this.#keys.some((known) => same(key, known));
  }
}

const secret = (): string => randomBytes(32).toString("base64url");

function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/**
 * Why a request is refused before anything else is looked at, or undefined. The Host check stops names that resolve
 * to 127.0.0.1 (DNS rebinding), the others stop pages of other origins, another port of this host included.
 */
export function foreign(request: IncomingMessage, port: number, { mustNameOrigin }: { readonly mustNameOrigin: boolean }): string | undefined {
  const authority = `127.0.0.1:${port}`;
  const { host, origin } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if (host !== authority) return `this server answers as ${authority} only`;
  if (origin === undefined ? mustNameOrigin : origin !== `http://${authority}`) return "requests of other origins are refused";
  // Following a link to the page is harmless: the page shows nothing without a key, and no other page may frame it.
  const followed = request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate" && request.headers["sec-fetch-dest"] === "document";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !followed) return "requests of other sites are refused";
  return undefined;
}
