import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { parseReference } from "#api/reference.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { Reader, Writer } from "./proto.ts";
import type { Session } from "./session.ts";

const methods = {
  credentials: "/moby.filesync.v1.Auth/Credentials",
  secret: "/moby.buildkit.secrets.v1.Secrets/GetSecret",
  checkAgent: "/moby.sshforward.v1.SSH/CheckAgent",
  agent: "/moby.sshforward.v1.SSH/ForwardAgent",
  upload: "/moby.upload.v1.Upload/Pull",
} as const;

/** What the client has for this registry, if anything. */
export async function credentials(session: Session, image: string, signal: AbortSignal): Promise<RegistryAuth | undefined> {
  const { domain } = parseReference(image);
  const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
  // Asked even of a client that did not say what it offers.
  const asked = session.ask(methods.credentials, new Writer().text(1, host).done(), signal).catch((error: unknown) => {
    if (isClass(error, "notImplemented")) return Buffer.alloc(0);
    throw error;
  });
  const answer = new Reader(await asked);
  const [username, secret] = [answer.text(1), answer.text(2)];
  if (secret === "") return undefined;
  return username === "" ? { identitytoken: secret } : { username, password: secret };
}

/** Undefined where the client has none of that name. */
export async function secret(session: Session, id: string, signal: AbortSignal): Promise<Buffer | undefined> {
  if (!session.offers(methods.secret)) return undefined;
  try {
    return new Reader(await session.ask(methods.secret, new Writer().text(1, id).done(), signal)).bytes(1);
  } catch (error) {
    if (isClass(error, "notFound")) return undefined;
    throw error;
  }
}

/** A socket at `path` behind which the client's agent answers. */
export async function agentSocket(
  session: Session,
  id: string,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  if (!session.offers(methods.agent) || !(await hasAgent(session, id, signal))) return undefined;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => open.delete(socket));
    void forward(session, id, socket, signal);
  });
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Clients offer to forward whether they were given an agent or not. */
async function hasAgent(session: Session, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await session.ask(methods.checkAgent, new Writer().text(1, id).done(), signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngineError) return false;
    throw error;
  }
}

async function forward(session: Session, id: string, socket: Socket, signal: AbortSignal): Promise<void> {
  try {
    await using call = session.open(methods.agent, { "buildkit.ssh.id": id }, signal);
    const sending = (async () => {
      for await (const chunk of socket as AsyncIterable<Buffer>) await call.send(new Writer().bytes(1, chunk).done());
      call.end();
    })();
    sending.catch(() => undefined);
    for await (const message of call.messages) socket.write(new Reader(message).bytes(1));
    socket.end();
  } catch {
    // Whoever asked the agent sees its connection end.
    socket.destroy();
  }
}

/** What the client uploads as its context: `docker build - < archive`. */
export async function* uploaded(session: Session, path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  await using call = session.open(methods.upload, { urlhost: "buildkit-session", urlpath: path }, signal);
  call.end();
  for await (const message of call.messages) yield new Reader(message).bytes(1);
}
