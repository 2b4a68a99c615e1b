import type { Finding } from "#api/failure.ts";
import type { Facts, Neighbour, Rule } from "./facts.ts";

/** Somebody the program talks to was not there: seen in its last words, and in what the engine knows of that name or address. */
export const dependencyRules: readonly Rule[] = [
  { name: "name-unknown", find: nameUnknown },
  { name: "connection-refused", find: refused },
];

const unknownNames = [
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /could not translate host name "([^"]+)"/,
  /bad address '?([\w.-]+)'?/,
  /lookup ([\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving)/,
  /Could not resolve host: ([\w.-]+)/,
  /(?:[Uu]nknown|[Uu]nresolved) (?:MySQL server )?host '?([\w.-]+)'?/,
  /UnknownHostException: ([\w.-]+)/,
  /host not found in upstream "([\w.-]+?)(?::\d+)?"/,
  /(?:unable to resolve host address|can't resolve) ['"‘]?([\w.-]+)/,
  /([\w.-]+): (?:Name or service not known|Temporary failure in name resolution|Name does not resolve)/,
] as const;

const anyName = /Name or service not known|Temporary failure in name resolution|Name does not resolve|ENOTFOUND|EAI_AGAIN/;

function nameUnknown(facts: Facts): Finding | undefined {
  for (const line of facts.lines.toReversed()) {
    const name = unknownNames.map((pattern) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
    if (name !== undefined) return unknown(facts, name, line);
    if (anyName.test(line))
      return {
        verdict: "A host name the program asks for is not known.",
        evidence: [line],
        fix: "Check the name, and that both containers are on one network of your own: docker network inspect",
      };
  }
  return undefined;
}

function unknown({ neighbour, name: own }: Facts, name: string, line: string): Finding {
  const other = neighbour(name);
  const verdict = `The program cannot reach ${name}: nobody has that name on its networks.`;
  if (other === undefined)
    return {
      verdict,
      evidence: [line, `no container is called ${name}`],
      fix: `Start a container called ${name} on a network of ${own}'s, or correct the name.`,
    };
  if (!other.reachable) {
    return {
      verdict,
      evidence: [line, `${other.name} is on none of this container's networks, or only on the default bridge, where names are not known`],
      fix: `Put both on one network: docker network create app, then docker network connect app ${own} and the same for ${other.name}`,
    };
  }
  return { verdict, evidence: [line, stateOf(other)], fix: startFix(other) };
}

const refusedAt = [
  /ECONNREFUSED ([\d.]+|\[?[\da-f:]+\]?):(\d+)/,
  /dial tcp (?:\S+ )?([\d.]+):(\d+): connect: connection refused/,
  /connection to server at "([^"]+)"(?: \([^)]*\))?, port (\d+) failed: Connection refused/,
  /connect to (\S+?)(?: port |:)(\d+)\b/,
  /can't connect to remote host \(([\d.]+)\)(?::(\d+))?: Connection refused/,
  /([\w.-]+):(\d+).*[Cc]onnection refused/,
  /([\w.-]+) \(?[\d.]*:?(\d+)?\)?: Connection refused/,
] as const;

const anyRefusal = /[Cc]onnection refused|ECONNREFUSED|Could not connect to server|No route to host|EHOSTUNREACH|[Cc]onnection timed out|ETIMEDOUT/;

function refused(facts: Facts): Finding | undefined {
  for (const line of facts.lines.toReversed()) {
    if (!anyRefusal.test(line)) continue;
    const [, host, port] = refusedAt.map((pattern) => pattern.exec(line)).find((found) => found !== null) ?? [];
    return unreached(facts, { line, ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) });
  }
  return undefined;
}

function unreached({ neighbour, name }: Facts, { line, host, port }: { line: string; host?: string; port?: string }): Finding {
  const at = host === undefined ? "what it needs" : port === undefined ? host : `${host} at port ${port}`;
  if (host !== undefined && /^(127\.|localhost$|\[?::1)/.test(host)) {
    return {
      verdict: `The program asks for ${at}, which is this container itself, and nothing listens there.`,
      evidence: [line, "inside a container, localhost is the container"],
      fix: "Use the other container's name, or host.docker.internal for a program on the host.",
    };
  }
  const other = host === undefined ? undefined : neighbour(host);
  const silent = /timed out|TIMEDOUT|No route|EHOSTUNREACH/.test(line);
  return {
    verdict: silent ? `The program got no answer from ${at}.` : `The program reached ${at}, and nothing listened there.`,
    evidence: [line, ...(other === undefined ? [] : [stateOf(other)])],
    fix:
      other === undefined || other.status === "running"
        ? `Start ${name} when it is ready: depends_on with condition: service_healthy in Compose, or let the program try again.`
        : startFix(other),
  };
}

const stateOf = ({ name, status, exitCode }: Neighbour): string => `the container ${name} is ${status}${status === "exited" ? ` (exit code ${exitCode})` : ""}`;

const startFix = ({ name, status }: Neighbour): string =>
  status === "running"
    ? `Let the program try again: ${name} runs now.`
    : `Start it first: docker start ${name}; GET /slipway/containers/${name}/why tells why it is not up.`;
