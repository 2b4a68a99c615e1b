import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { EndpointSettings } from "#api/networks.ts";
import { ownNames } from "../networks/files.ts";
import type { Sandbox } from "../networks/networks.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Container } from "./container.ts";
import { containerFiles } from "./start.ts";

/**
 * What a running container reads about names follows the networks it joins and leaves. Its files are written in place, since they are
 * bound into it; what the container itself wrote there stays.
 */
export function filesAfterConnect({ backends }: Supervisor, container: Container, change: { before: Sandbox; after: Sandbox; network: string }): void {
  const { hosts, resolvConf } = containerFiles(backends, container);
  const { Hostname = "", Domainname = "" } = container.spec.config;
  const names = ownNames(Hostname, Domainname);
  const lines = addressesOf(change.after.endpoints[change.network]).map((address) => `${address}\t${names}\n`);
  if (lines.length > 0) appendFileSync(hosts, lines.join(""));
  const { before, after } = { before: change.before.files.resolvConf, after: change.after.files.resolvConf };
  if (before !== after && readFileSync(resolvConf, "utf8") === before) writeFileSync(resolvConf, after);
}

/** Whom it asks for names stays, as in dockerd: the resolver inside answers as long as it runs. */
export function filesAfterDisconnect({ backends }: Supervisor, container: Container, left: EndpointSettings | undefined): void {
  const { hosts } = containerFiles(backends, container);
  const addresses = addressesOf(left);
  const lines = readFileSync(hosts, "utf8").split("\n");
  const kept = lines.filter((line) => !addresses.includes(line.split("\t", 1)[0] ?? ""));
  if (kept.length < lines.length) writeFileSync(hosts, kept.join("\n"));
}

const addressesOf = (endpoint: EndpointSettings | undefined): string[] =>
  [endpoint?.IPAddress, endpoint?.GlobalIPv6Address].flatMap((address) => (address === undefined || address === "" ? [] : [address]));
