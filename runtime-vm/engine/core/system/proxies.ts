import type { Proxies } from "../config/config.ts";

/** What the file leaves out comes from the environment, as with dockerd. */
export function withEnvironment({ http, https, no }: Proxies, env: Readonly<Record<string, string | undefined>>): Proxies {
  const or = (given: string, name: string): string => given || (env[name] ?? env[name.toLowerCase()] ?? "");
  return { http: or(http, "HTTP_PROXY"), https: or(https, "HTTPS_PROXY"), no: or(no, "NO_PROXY") };
}

/** A proxy's address without who is asking. */
export function maskCredentials(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url === undefined || (url.username === "" && url.password === "") ? address : address.replace(/\/\/[^@/]*@/, "//xxxxx:xxxxx@");
}
