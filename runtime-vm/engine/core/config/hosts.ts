import { EngineError } from "#base/errors.ts";
import type { ApiHost, TlsFiles } from "./config.ts";
import type { Draft } from "./keys.ts";

const refuse = (message: string): EngineError => new EngineError("invalidArgument", message);

/** dockerd's port with TLS. */
const tlsPort = 2376;

/** `hosts` with the certificates that TCP needs: without client certificates whoever reaches the port owns the machine. */
export function apiHosts(draft: Draft, warn: (reason: string) => void): { hosts: readonly ApiHost[]; tls: TlsFiles | undefined } {
  const hosts = (draft.hosts ?? []).flatMap((host) => apiHost(host, warn));
  const tcp = hosts.find(({ kind }) => kind === "tcp");
  const tls = certificates(draft);
  if (tcp?.kind === "tcp" && (tls === undefined || draft.tlsVerify !== true)) {
    const address = `tcp://${tcp.host}:${tcp.port}`;
    throw refuse(`hosts: ${address} is refused without client certificates: set "tlsverify": true, "tlscacert", "tlscert" and "tlskey", or use a unix socket`);
  }
  return { hosts, tls };
}

function apiHost(text: string, warn: (reason: string) => void): ApiHost[] {
  const [, scheme = "", rest = ""] = /^(?:([^:/]*):\/\/)?(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case "unix":
      if (!rest.startsWith("/")) throw refuse(`hosts: ${text} must name an absolute path (unix:///run/docker.sock)`);
      return [{ kind: "unix", path: rest }];
    case "tcp":
    case "":
      return [tcpHost(text, rest)];
    case "fd":
      warn(`${text}: sockets passed by systemd are not taken; the engine serves its own`);
      return [];
    default:
      throw refuse(`invalid bind address (${text}): unsupported proto '${scheme}'`);
  }
}

function tcpHost(text: string, address: string): ApiHost {
  const found = /^(\[[0-9a-f:.]+\]|[^:/\s]*)(?::(\d{1,5}))?\/?$/i.exec(address);
  const port = Number(found?.[2] ?? tlsPort);
  if (found === null || port > 65_535) throw refuse(`invalid bind address (${text}): want tcp://HOST:PORT`);
  return { kind: "tcp", host: (found[1] ?? "").replace(/^\[(.*)\]$/, "$1") || "127.0.0.1", port };
}

/** Where dockerd looks when a path is left out. */
const inDockerHome = (name: string): string => `/root/.docker/${name}`;

function certificates({ tlsOn, tlsVerify, tlsCa, tlsCert, tlsKey }: Draft): TlsFiles | undefined {
  if (tlsVerify !== true && tlsOn !== true) return undefined;
  return { ca: tlsCa || inDockerHome("ca.pem"), cert: tlsCert || inDockerHome("cert.pem"), key: tlsKey || inDockerHome("key.pem") };
}
