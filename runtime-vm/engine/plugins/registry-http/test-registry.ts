import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/**
 * For tests that need a real registry: a `docker-registry` (Debian's package of that name) on PATH, or the executable that
 * SLIPWAY_TEST_REGISTRY names. `found` is undefined where there is none, and the tests say so.
 */
export const found = [process.env["SLIPWAY_TEST_REGISTRY"], ...(process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, "docker-registry"))].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in image names. */
  readonly domain: string;
  /** Uploads a blob or a manifest (by its media type) and returns its descriptor. */
  push(repository: string, bytes: Buffer, mediaType: string, tag?: string): Promise<{ mediaType: string; digest: `sha256:${string}`; size: number }>;
}

/** The name and password that `htpasswd -B` made a line of. */
export const credentials = { username: "user", password: "pass" } as const;
const htpasswd = "user:$2b$05$dYvDWBLgGwNdQdY6PRR3.uJLGholZR7YCiFR5IVr890uJSh6RwyVK\n";

export async function startRegistry(opts: { basicAuth?: boolean } = {}): Promise<TestRegistry> {
  const root = mkdtempSync(join(tmpdir(), "registry-"));
  const port = await freePort();
  writeFileSync(join(root, "htpasswd"), htpasswd);
  const auth = opts.basicAuth === true ? `auth: {htpasswd: {realm: test, path: ${root}/htpasswd}}\n` : "";
  const config = `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${root}/data}}\nhttp: {addr: "127.0.0.1:${port}"}\n${auth}`;
  writeFileSync(join(root, "config.yml"), config);
  const child = spawn(found!, ["serve", join(root, "config.yml")], { stdio: "ignore" });
  const domain = `127.0.0.1:${port}`;
  const headers: Record<string, string> = opts.basicAuth === true ? { authorization: `Basic ${Buffer.from("user:pass").toString("base64")}` } : {};
  for (let attempt = 0; ; attempt++) {
    const answered = await fetch(`http://${domain}/v2/`, { headers }).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) break;
    if (attempt === 100 || child.exitCode !== null) throw new Error(`${found!} does not answer on ${domain}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    domain,
    push: (repository, bytes, mediaType, tag) => push(`http://${domain}/v2/${repository}`, { bytes, mediaType, tag, headers }),
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      rmSync(root, { recursive: true });
    },
  };
}

async function push(
  base: string,
  what: { bytes: Buffer; mediaType: string; tag: string | undefined; headers: Record<string, string> },
): Promise<{ mediaType: string; digest: `sha256:${string}`; size: number }> {
  const digest = `sha256:${createHash("sha256").update(what.bytes).digest("hex")}` as const;
  const body = new Uint8Array(what.bytes);
  if (what.mediaType.includes("manifest") || what.mediaType.includes("index")) {
    await ok(fetch(`${base}/manifests/${what.tag ?? digest}`, { method: "PUT", body, headers: { ...what.headers, "content-type": what.mediaType } }));
  } else {
    const begun = await ok(fetch(`${base}/blobs/uploads/`, { method: "POST", headers: what.headers }));
    const location = new URL(begun.headers.get("location")!, base);
    location.searchParams.set("digest", digest);
    await ok(fetch(location, { method: "PUT", body, headers: { ...what.headers, "content-type": "application/octet-stream" } }));
  }
  return { mediaType: what.mediaType, digest, size: body.length };
}

async function ok(response: Promise<Response>): Promise<Response> {
  const answer = await response;
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/**
 * A server between client and registry that may answer itself, or look at the bytes that pass. `answer` returns true when
 * it has answered; `relay` gets the registry's answer to pass on, `send` the client's request.
 */
export async function startProxy(
  target: string,
  hooks: {
    answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
    relay?: (request: IncomingMessage, from: IncomingMessage, to: ServerResponse) => void;
    send?: (request: IncomingMessage, to: ClientRequest) => void;
  },
): Promise<AsyncDisposable & { readonly domain: string; readonly seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(incoming);
    if (hooks.answer?.(incoming, outgoing) === true) return;
    const [host, port] = target.split(":");
    const forward = request({ host, port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (from) => {
      outgoing.writeHead(from.statusCode!, from.headers);
      if (hooks.relay === undefined) from.pipe(outgoing);
      else hooks.relay(incoming, from, outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    if (hooks.send === undefined) incoming.pipe(forward);
    else hooks.send(incoming, forward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    domain: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
