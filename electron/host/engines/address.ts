import { EngineError } from "#base/errors.ts";
import type { EngineAddress, EngineTls } from "#bridge/bridge.ts";

/** Where an engine is, read from its address. */
export type Place =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls: EngineTls | undefined }
  /** `socket`: of the other computer. */
  | { readonly kind: "ssh"; readonly user: string | undefined; readonly host: string; readonly port: number | undefined; readonly socket: string };

export const dockerSocket = "/var/run/docker.sock";
/** Part of a forwarding's description, and of a command for the other computer's shell. */
const socketPath = /^(?:\/[A-Za-z0-9._-]+)+$/;
/** Nothing that ssh could take for an option, nor a shell for more than a word. */
const word = /^(?!-)[A-Za-z0-9._:-]+$/;

/** Class `invalidArgument`, saying what is amiss, for an address that leads nowhere whatever runs there. */
export function placeOf({ url, tls }: EngineAddress): Place {
  const wrong = (what: string): EngineError => new EngineError("invalidArgument", `${url}: ${what}`);
  if (url.startsWith("unix://")) return { kind: "path", path: url.slice("unix://".length) };
  if (url.startsWith("npipe://")) return { kind: "path", path: url.slice("npipe://".length).replaceAll("/", "\\") };
  if (!URL.canParse(url)) throw wrong("this is no address: write tcp://HOST:PORT or ssh://USER@HOST");
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (!word.test(host)) throw wrong("the name of a computer is missing, or has signs that no name has");
  if (password !== "") throw wrong("a password does not belong in an address: ssh uses your keys");
  if (search !== "" || hash !== "") throw wrong("an address ends with the port or the path of a socket");
  if (protocol === "tcp:") {
    if (pathname !== "" && pathname !== "/") throw wrong("an address of tcp ends with the port");
    if (username !== "") throw wrong("an address of tcp has no user");
    if ((tls?.cert === undefined) !== (tls?.key === undefined)) throw wrong("a client's certificate and its key belong together: name both, or none");
    // As the docker command does: 2376 is the port of encrypted engines, 2375 that of the others.
    return { kind: "tcp", host, port: port === "" ? (tls === undefined ? 2375 : 2376) : Number(port), tls };
  }
  const user = decodeURIComponent(username);
  if (user !== "" && !/^(?!-)[A-Za-z0-9._@\\-]+$/.test(user)) throw wrong("the user's name has signs that no name has");
  const socket = pathname === "" || pathname === "/" ? dockerSocket : pathname;
  if (!socketPath.test(socket)) throw wrong("the path of a socket has letters, digits, dots and dashes");
  return {
    kind: "ssh",
    user: user === "" ? undefined : user,
    host,
    port: port === "" ? undefined : Number(port),
    socket,
  };
}

/** Where ports are that its containers publish. */
export const portHostOf = (address: EngineAddress): string => {
  const place = placeOf(address);
  return place.kind === "path" ? "localhost" : place.host.includes(":") ? `[${place.host}]` : place.host;
};
