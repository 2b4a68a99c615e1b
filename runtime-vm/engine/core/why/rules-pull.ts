import { familiarName, parseReference, type ImageReference } from "#api/reference.ts";
import type { WhyExplanation } from "#api/why.ts";
import { explainFailure, type FailureRule, type Finding, sayings } from "#api/failure.ts";

export interface PullFacts {
  /** As it was asked for. */
  readonly reference: string;
  /** What the engine said, as Docker words it. */
  readonly error: string;
}

/** Why an image could not be pulled. */
export const explainPull = (facts: PullFacts): WhyExplanation | undefined => explainFailure(pullRules, facts);

type Say = (facts: { readonly host: string; readonly image: string; readonly error: string; readonly match: RegExpExecArray }) => Omit<Finding, "evidence">;

const byWords = sayings<PullFacts>(
  ({ error }) => error,
  ({ error }) => [error],
);
const bySaying = (name: string, pattern: RegExp, say: Say): FailureRule<PullFacts> =>
  byWords(name, pattern, (match, { reference, error }) => say({ ...placesOf(reference), error, match }));

const dockerHub = "docker.io";

function placesOf(reference: string): { host: string; image: string } {
  const parsed = parsedOrNot(reference);
  if (parsed === undefined) return { host: "the registry", image: reference };
  return { host: parsed.domain === dockerHub ? "Docker Hub" : parsed.domain, image: familiarName(parsed) };
}

function parsedOrNot(reference: string): ImageReference | undefined {
  try {
    return parseReference(reference);
  } catch {
    return undefined;
  }
}

const loginOf = (host: string): string => (host === "Docker Hub" ? "docker login" : `docker login ${host}`);

const pullRules: readonly FailureRule<PullFacts>[] = [
  bySaying("name-invalid", /invalid reference format|repository name must be lowercase/i, ({ image }) => ({
    verdict: `${image} is not a name that an image can have.`,
    fix: "Write it as [HOST[:PORT]/]NAME[:TAG], all in lower case but the tag.",
  })),
  bySaying("disk-full", /no space left on device|ENOSPC|database or disk is full|disk quota exceeded/i, ({ image }) => ({
    verdict: `The engine's disk has no room for ${image}.`,
    fix: "Make room: docker system prune -a --volumes, and empty the Trash; docker system df shows what takes it.",
  })),
  bySaying("rate-limit", /toomanyrequests/i, ({ host }) => ({
    verdict: `${host} lets this address pull no more for now.`,
    fix: `Log in, since accounts have a limit of their own (${loginOf(host)}), wait, or name a mirror in daemon.json ("registry-mirrors").`,
  })),
  bySaying("login-wrong", /incorrect username or password/i, ({ host }) => ({
    verdict: `${host} does not take this name and password.`,
    fix: `Log in anew: ${loginOf(host).replace("login", "logout")} && ${loginOf(host)}`,
  })),
  bySaying("login-needed", /no basic auth credentials|authentication required/i, ({ host, image }) => ({
    verdict: `${host} shows ${image} only to those who are logged in, if it has it at all.`,
    fix: `Check the name, then log in: ${loginOf(host)}`,
  })),
  bySaying("access-denied", /pull access denied|requested access to the resource is denied|denied:/i, ({ host, image }) => ({
    verdict: `${host} has no ${image}, or does not show it to this login.`,
    fix: `Check the name, and that the account may read it: ${loginOf(host)}`,
  })),
  bySaying("platform-missing", /no match(?:ing manifest)? for (?:platform in manifest|(\S+))/i, ({ image, match }) => ({
    verdict: `${image} is there, but not for the platform ${match[1] ?? "that was asked for"}.`,
    fix: `See what it is for: docker buildx imagetools inspect ${image}; then pull that with --platform.`,
  })),
  bySaying("proxy-unreachable", /proxyconnect|proxy .*(?:refused|unreachable|no such host|timed out|timeout)/i, ({ host }) => ({
    verdict: `The way to ${host} leads through a proxy that does not answer.`,
    fix: 'Correct "proxies" in daemon.json (or HTTP_PROXY and HTTPS_PROXY of the engine), or put the host into "no-proxy".',
  })),
  bySaying("not-http", /server gave HTTP response to HTTPS client|wrong version number|packet length too long|EPROTO/i, ({ host }) => ({
    verdict: `${host} speaks plain HTTP where HTTPS is asked for.`,
    fix: `If that registry is meant to: {"insecure-registries": ["${host}"]} in daemon.json.`,
  })),
  bySaying("certificate", /x509|certificate|self[- ]signed|tls: /i, ({ host }) => ({
    verdict: `The certificate of ${host} is not one that this engine trusts.`,
    fix: `Put its authority's certificate into /etc/docker/certs.d/${host}/ca.crt; check that the name and the clock are right.`,
  })),
  bySaying("name-unknown", /lookup (\S+?)(?: on \S+)?: (?:no such host|Temporary failure)|ENOTFOUND|EAI_AGAIN/i, ({ host, match }) => ({
    verdict: `The name server knows no ${match[1] ?? host}, or cannot be reached.`,
    fix: "Check the name's spelling and the network; behind a VPN, that its name server is the one in use.",
  })),
  bySaying("connection-refused", /dial tcp (\S+?): connect: connection refused/i, ({ host, match }) => ({
    verdict: `Nothing listens at ${match[1] ?? host}, where ${host} should be.`,
    fix: "Start the registry, or correct its port. localhost in an image's name is the engine's machine, not a container.",
  })),
  bySaying("unreachable", /no route to host|network is unreachable|EHOSTUNREACH|ENETUNREACH/i, ({ host }) => ({
    verdict: `There is no way to ${host}: this machine is not on the network, or a firewall is between.`,
    fix: "Check the network; what is here already can be used meanwhile, and docker load takes images from files.",
  })),
  bySaying("timeout", /i\/o timeout|timed out|sent nothing for|has not answered|deadline exceeded|connection (?:ended|reset)|ECONNRESET|EOF/i, ({ host }) => ({
    verdict: `${host} stopped answering.`,
    fix: "Pull again: what has arrived is kept, and only the rest is fetched.",
  })),
  bySaying("corrupt", /verification failed|digest mismatch|sent more than/i, ({ host, image }) => ({
    verdict: `${host} sent other bytes for ${image} than it had promised; they were thrown away.`,
    fix: "Pull again; if it stays so, the registry, or a proxy between, is damaged.",
  })),
  bySaying("artifact", /is an artifact \((.*?)\), not a container image/i, ({ image, match }) => ({
    verdict: `${image} is no container image but ${match[1] ?? "something else"}.`,
    fix: "Fetch it with the tool it was made for (oras, helm).",
  })),
  bySaying("not-found", /not found|manifest unknown|name unknown/i, ({ host, image }) => ({
    verdict: `${host} has no ${image}.`,
    fix: "Check the name and the tag: without one, latest is meant, which not every image has.",
  })),
  bySaying("registry-error", /status code 5\d\d|answered 5\d\d|unavailable/i, ({ host }) => ({
    verdict: `${host} has a failure of its own.`,
    fix: "Wait, and pull again.",
  })),
  bySaying("pull-failed", /\S/, ({ image }) => ({ verdict: `${image} could not be pulled.`, fix: "The evidence has the engine's own words." })),
];
