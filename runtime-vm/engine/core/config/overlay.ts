/** `slipway.overlay` of daemon.json: where engines agree on the networks between them. */
import { isIP } from "node:net";
import { EngineError } from "#base/errors.ts";
import type { EngineConfig, OverlayConfig, TlsFiles } from "./config.ts";
import { object, text, texts, wrong } from "./values.ts";

type Part = Pick<EngineConfig, "overlay">;

export function overlay(value: unknown, key: string): Part {
  const { etcd, advertise, tls, ...strangers } = object(value, key);
  const [stranger] = Object.keys(strangers);
  if (stranger !== undefined)
    throw new EngineError("invalidArgument", `${key}: unknown field ${JSON.stringify(stranger)}: there are "etcd", "advertise" and "tls"`);
  const urls = texts(etcd ?? [], `${key}.etcd`);
  if (urls.length === 0) throw wrong(`${key}.etcd`, "a list of URLs of an etcd cluster (http://10.0.0.5:2379)");
  for (const url of urls) checkUrl(url, `${key}.etcd`);
  const address = text(advertise ?? "", `${key}.advertise`);
  if (isIP(address) === 0) throw wrong(`${key}.advertise`, `the IP address of this machine that the other hosts reach, got ${JSON.stringify(address)}`);
  const files: OverlayConfig = { etcd: urls, advertise: address, ...(tls === undefined ? {} : { tls: tlsFiles(tls, `${key}.tls`) }) };
  return { overlay: files };
}

function checkUrl(url: string, key: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) throw wrong(key, `URLs with http:// or https://, got ${url}`);
}

function tlsFiles(value: unknown, key: string): TlsFiles {
  const given = object(value, key);
  const file = (name: string): string => {
    const path = text(given[name] ?? "", `${key}.${name}`);
    if (!path.startsWith("/")) throw wrong(`${key}.${name}`, `the absolute path of a file, got ${JSON.stringify(path)}`);
    return path;
  };
  return { ca: file("ca"), cert: file("cert"), key: file("key") };
}
