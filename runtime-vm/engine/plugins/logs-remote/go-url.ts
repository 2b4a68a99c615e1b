import { invalidOption } from "#core/logs/options.ts";

/** An address as Go's net/url takes it apart: what is wrong with one is said in its words. */
export interface GoUrl {
  readonly scheme: string;
  /** With its port; what stands after the last colon is digits or nothing. */
  readonly host: string;
  /** Empty where no slash follows the scheme. */
  readonly path: string;
}

export function parseGoUrl(text: string): GoUrl {
  const bad = (why: string): Error => invalidOption(`parse ${JSON.stringify(text)}: ${why}`);
  if (text.startsWith(":")) throw bad("missing protocol scheme");
  const [, scheme = "", rest = ""] = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?([^?#]*)/s.exec(text) ?? [];
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(rest)?.[0];
  if (scheme === "" && /^[^/]*:/.test(rest)) throw bad("first path segment in URL cannot contain colon");
  if (scheme !== "" && !rest.startsWith("/")) return { scheme: scheme.toLowerCase(), host: "", path: "" };
  if (escape !== undefined) throw bad(`invalid URL escape ${JSON.stringify(escape)}`);
  const [, authority = "", path = ""] = /^(?:\/\/([^/]*))?(.*)$/s.exec(rest) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const space = /[\s<>"\\^`{|}]/.exec(host)?.[0];
  if (space !== undefined) throw bad(`invalid character ${JSON.stringify(space)} in host name`);
  if (host.startsWith("[") && !host.includes("]")) throw bad("missing ']' in host");
  const port = host.startsWith("[") ? host.slice(host.lastIndexOf("]") + 1) : /:[^:]*$/.exec(host)?.[0];
  if (port !== undefined && !/^(:\d*)?$/.test(port)) throw bad(`invalid port ${JSON.stringify(port)} after host`);
  return { scheme: scheme.toLowerCase(), host, path };
}

/** Host and port, an IPv6 address without its brackets; undefined port: there is none. As net.SplitHostPort has it. */
export function splitHostPort(host: string): { readonly host: string; readonly port: string | undefined } {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(host) ?? [];
  const name = inBrackets ?? plain;
  if (name === undefined) throw invalidOption(`address ${host}: too many colons in address`);
  return { host: name, port };
}
