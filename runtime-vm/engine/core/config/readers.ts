/** Values of daemon.json with rules of their own, refused in dockerd's words. */
import { isAbsolute } from "node:path";
import { EngineError } from "#base/errors.ts";
import { type LogLevel, type Proxies, logLevels } from "./config.ts";
import { bytes, flag, mapOf, text, texts, wrong } from "./values.ts";

export function ipcMode(value: unknown, key: string): string {
  const mode = text(value, key);
  const hint = 'use "shareable" or "private"';
  if (["", "private", "shareable"].includes(mode)) return mode;
  const valid = ["none", "host"].includes(mode) || /^container:.+/.test(mode);
  throw new EngineError(
    "invalidArgument",
    valid ? `IPC mode "${mode}" is not supported as default value; ${hint}` : `default IPC mode setting (${mode}) is invalid; ${hint}`,
  );
}

export function searchDomains(value: unknown, key: string): readonly string[] {
  const given = texts(value, key);
  const bad = given.find((domain) => domain !== "." && !/^[a-z0-9_]([a-z0-9_.-]{0,253}[a-z0-9_.])?$/i.test(domain));
  if (bad !== undefined) throw new EngineError("invalidArgument", `${bad} is not a valid domain`);
  return given;
}

/** Containers are in control groups by the engine's own hand; systemd has no say. */
export function execOptions(value: unknown, key: string, warn: (reason: string) => void): object {
  for (const option of texts(value, key)) {
    const [name = "", given] = option.split("=", 2);
    if (given === undefined) throw new EngineError("invalidArgument", `invalid exec-opt (${option}): must be formatted 'opt=value'`);
    if (name.trim().toLowerCase() !== "native.cgroupdriver") throw new EngineError("invalidArgument", `unknown exec-opt: ${name}`);
    if (given !== "cgroupfs" && given !== "systemd") throw new EngineError("invalidArgument", `invalid cgroup driver: ${given}`);
    if (given === "systemd") warn("control groups are made by the engine itself (native.cgroupdriver=cgroupfs)");
  }
  return {};
}

/** What cannot be switched off here is said by name. */
export function features(value: unknown, key: string, warn: (reason: string) => void): { features: Readonly<Record<string, boolean>> } {
  const given = mapOf(flag)(value, key);
  if ("windows-dns-proxy" in given) throw new EngineError("invalidArgument", "feature option 'windows-dns-proxy' is only available on Windows");
  if (given["containerd-snapshotter"] === false) warn("containerd-snapshotter: images are always kept by their digests, several platforms of one together");
  if (given["cdi"] === false) warn("cdi: devices that /etc/cdi describes can always be asked for by name");
  return { features: given };
}

/** The one option of dockerd's storage drivers that has a meaning here: how much a container may write, where the file system can limit it. */
export function storageOptions(value: unknown, key: string, warn: (reason: string) => void): { rootBytes?: number } {
  let rootBytes = 0;
  for (const option of texts(value, key)) {
    const [name = "", given] = option.split("=", 2);
    if (given === undefined) throw new EngineError("invalidArgument", `Unable to parse storage-opt: ${option}`);
    if (name === "overlay2.size" || name === "size") rootBytes = bytes(given, `${key}: ${name}`);
    else if (name !== "overlay2.override_kernel_check") warn(`${name}: layers are mounted by overlayfs, which has no such option`);
  }
  return rootBytes === 0 ? {} : { rootBytes };
}

/** Of equal labels one; of one name with two values, none. */
export function labels(value: unknown, key: string): readonly string[] {
  const found = new Map<string, string>();
  for (const label of texts(value, key)) {
    const at = label.indexOf("=");
    if (at < 1) throw new EngineError("invalidArgument", `bad attribute format: ${label}`);
    const [name, own] = [label.slice(0, at), label.slice(at + 1)];
    const before = found.get(name);
    if (before !== undefined && before !== own) throw new EngineError("invalidArgument", `conflict labels for ${name}=${own} and ${name}=${before}`);
    found.set(name, own);
  }
  return [...found].map(([name, own]) => `${name}=${own}`);
}

export function logLevel(value: unknown, key: string): LogLevel {
  const level = text(value, key).toLowerCase() as LogLevel;
  if (!logLevels.includes(level)) throw new EngineError("invalidArgument", `invalid logging level: ${text(value, key)}`);
  return level;
}

export function metricsAddress(value: unknown, key: string): string {
  const given = text(value, key);
  if (given !== "" && !/^(\[[0-9a-f:]+\]|[^:/\s]*):\d{1,5}$/i.test(given)) throw wrong(key, `an address with a port (127.0.0.1:9323), got ${given}`);
  return given;
}

export function absolute(value: unknown, key: string): string {
  const path = text(value, key);
  if (path !== "" && !isAbsolute(path)) throw wrong(key, `an absolute path, got ${path}`);
  return path;
}

export function proxies(value: unknown, key: string): { proxies: Proxies } {
  const given = mapOf(text)(value, key);
  const stranger = Object.keys(given).find((name) => !["http-proxy", "https-proxy", "no-proxy"].includes(name));
  if (stranger !== undefined) throw new EngineError("invalidArgument", `the following directives don't match any configuration option: ${stranger}`);
  return { proxies: { http: given["http-proxy"] ?? "", https: given["https-proxy"] ?? "", no: given["no-proxy"] ?? "" } };
}

export function mirrors(value: unknown, key: string): readonly string[] {
  return texts(value, key).map((mirror) => {
    const bad = (reason: string): EngineError => new EngineError("invalidArgument", `invalid mirror: ${reason}`);
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(mirror)) throw bad(`no scheme specified for "${mirror}": must use either 'https://' or 'http://'`);
    const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
    if (url === undefined) throw bad(`"${mirror}" is not a valid URI`);
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw bad(`unsupported scheme "${url.protocol.slice(0, -1)}" in "${mirror}": must use either 'https://' or 'http://'`);
    if (url.search !== "" || url.hash !== "") throw bad(`query or fragment at end of the URI "${mirror}"`);
    if (url.username !== "") throw bad(`username/password not allowed in URI "${mirror}"`);
    return mirror.endsWith("/") ? mirror : `${mirror}/`;
  });
}
