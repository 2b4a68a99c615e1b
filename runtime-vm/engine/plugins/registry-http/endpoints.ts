import { BlockList, isIP } from "node:net";
import type { SecureContext } from "node:tls";

/** Where a registry is spoken to. */
export interface Endpoint {
  readonly base: URL;
  /** Certificates are not checked. */
  readonly insecure: boolean;
  /** Tried with the other scheme when the first one is answered in another language (insecure registries only). */
  readonly otherScheme: boolean;
  /** Credentials are the registry's; a mirror gets them only under its own name. */
  readonly mirror: boolean;
  readonly tls?: SecureContext;
}

export interface EndpointOptions {
  readonly insecureRegistries: readonly string[];
  readonly mirrors: readonly string[];
  /** Certificates that a host has of its own; undefined for most. */
  readonly certificates?: (host: string) => SecureContext | undefined;
}

/** Mirrors first (Docker Hub only), then the registry itself. Loopback is insecure by itself, as in dockerd. */
export function endpointsOf(domain: string, options: EndpointOptions): Endpoint[] {
  if (domain !== "docker.io") return [registryEndpoint(domain, options)];
  const mirrors = options.mirrors.map((mirror): Endpoint => {
    const base = new URL(mirror.endsWith("/") ? mirror : `${mirror}/`);
    return { base, insecure: isInsecure(base.host, options.insecureRegistries), otherScheme: false, mirror: true, ...tlsOf(base.host, options) };
  });
  return [...mirrors, registryEndpoint(domain, options)];
}

/** The registry itself. */
export function registryEndpoint(domain: string, options: EndpointOptions): Endpoint {
  const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
  const insecure = isInsecure(host, options.insecureRegistries);
  return { base: new URL(`${insecure ? "http" : "https"}://${host}/`), insecure, otherScheme: insecure, mirror: false, ...tlsOf(host, options) };
}

function tlsOf(host: string, { certificates }: EndpointOptions): { tls?: SecureContext } {
  const tls = certificates?.(host);
  return tls === undefined ? {} : { tls };
}

/** By name, `name:port`, or address in a CIDR; 127.0.0.0/8, ::1 and localhost always. */
export function isInsecure(domain: string, insecureRegistries: readonly string[]): boolean {
  const host = hostOf(domain);
  if (host === "localhost") return true;
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  for (const entry of insecureRegistries) {
    const [network, bits] = entry.split("/");
    if (bits === undefined) {
      if (entry === domain || entry === host) return true;
    } else if (isIP(network!) !== 0) list.addSubnet(network!, Number(bits), isIP(network!) === 6 ? "ipv6" : "ipv4");
  }
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? "ipv6" : "ipv4");
}

const hostOf = (domain: string): string => domain.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
