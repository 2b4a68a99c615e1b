import { BlockList, isIP } from "node:net";

/** Where a registry is spoken to. */
export interface Endpoint {
  readonly base: URL;
  /** Certificates are not checked. */
  readonly insecure: boolean;
  /** Tried with the other scheme when the first one is answered in another language (insecure registries only). */
  readonly otherScheme: boolean;
}

export interface EndpointOptions {
  readonly insecureRegistries: readonly string[];
  readonly mirrors: readonly string[];
}

/** Mirrors first (Docker Hub only), then the registry itself. Loopback is insecure by itself, as in dockerd. */
export function endpointsOf(domain: string, options: EndpointOptions): Endpoint[] {
  if (domain !== "docker.io") return [endpointOf(domain, options.insecureRegistries)];
  const mirrors = options.mirrors.map((mirror) => {
    const base = new URL(mirror.endsWith("/") ? mirror : `${mirror}/`);
    return { base, insecure: isInsecure(base.host, options.insecureRegistries), otherScheme: false };
  });
  return [...mirrors, { base: new URL("https://registry-1.docker.io/"), insecure: false, otherScheme: false }];
}

function endpointOf(domain: string, insecureRegistries: readonly string[]): Endpoint {
  const insecure = isInsecure(domain, insecureRegistries);
  return { base: new URL(`${insecure ? "http" : "https"}://${domain}/`), insecure, otherScheme: insecure };
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
