import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openRegistries } from "./registries.ts";
import { startProxy } from "./test-registry.ts";

/** Whom we trust, and whom we tell who we are. Registries under TLS, with authorities that exist for this test only. */
const signal = new AbortController().signal;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: {}, layers: [] }));
const directory = mkdtempSync(join(tmpdir(), "trust-"));
const certs = join(directory, "certs.d");
const at = (name: string): string => join(directory, name);
const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "ignore", cwd: directory });
const servers: Server[] = [];
/** An address of this machine that is not loopback, where no certificate counts. */
const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

beforeAll(() => {
  writeFileSync(at("san"), `subjectAltName=IP:${address ?? "127.0.0.1"}\n`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority");
  for (const name of ["server", "client"]) {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", `${name}.cert`, "-extfile", "san");
  }
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(certs, { recursive: true, force: true });
});
afterAll(() => rmSync(directory, { recursive: true }));

type Serve = (request: IncomingMessage, response: ServerResponse) => void;
const giveManifest: Serve = (_, response) => void response.writeHead(200, { "content-type": manifestType }).end(manifest);

/** Port of a registry under TLS. */
async function secureServer(serve: Serve, opts: { wantsClient?: boolean } = {}): Promise<number> {
  const tls = { key: readFileSync(at("server.key")), cert: readFileSync(at("server.cert")), ca: readFileSync(at("ca.crt")) };
  const server = createServer({ ...tls, requestCert: opts.wantsClient === true, rejectUnauthorized: false }, serve);
  servers.push(server);
  server.listen(0, address);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const open = (port: number, opts: { mirrors?: string[] } = {}) => {
  const registries = openRegistries({ insecureRegistries: [], mirrors: opts.mirrors ?? [], userAgent: "test", certificates: certs });
  return { registries, ask: (auth = {}) => registries.open(`${address}:${port}`, auth).manifest("some/app", "v1", { signal }) };
};

function keep(host: string, ...files: readonly (readonly [from: string, as: string])[]): void {
  mkdirSync(join(certs, host), { recursive: true });
  for (const [from, as] of files) copyFileSync(at(from), join(certs, host, as));
}

test.skipIf(address === undefined)(
  "a registry with an authority of its own is believed when its certificate is kept for it, at once and by it alone",
  async () => {
    const port = await secureServer(giveManifest);
    const { registries, ask } = open(port);
    await using _open = registries;
    await expect(ask()).rejects.toMatchObject({ class: "unavailable", message: expect.stringContaining("certificate") as string });
    keep(`${address}:1`, ["ca.crt", "ca.crt"]);
    await expect(ask()).rejects.toMatchObject({ class: "unavailable" });
    keep(`${address}:${port}`, ["ca.crt", "ca.crt"]);
    expect((await ask()).bytes).toEqual(manifest);
  },
);

test.skipIf(address === undefined)("a registry that asks who we are gets the certificate that is kept for it", async () => {
  const who: string[] = [];
  const port = await secureServer(
    (request, response) => {
      who.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString() ?? "nobody");
      giveManifest(request, response);
    },
    { wantsClient: true },
  );
  const { registries, ask } = open(port);
  await using _open = registries;
  const host = `${address}:${port}`;
  keep(host, ["ca.crt", "ca.crt"]);
  await ask();
  keep(host, ["client.cert", "client.cert"], ["client.key", "client.key"]);
  await ask();
  expect(who).toEqual(["nobody", "client"]);
});

test.each([
  ["a certificate without its key", [["client.cert", "client.cert"]], "missing key client.key for client certificate client.cert"],
  ["a key without its certificate", [["client.key", "client.key"]], "missing client certificate client.cert for client key client.key"],
  ["an authority that is none", [["san", "ca.crt"]], "ca.crt holds no certificate"],
] as const)("%s is told", async (_, files, message) => {
  const { registries, ask } = open(1);
  await using _open = registries;
  keep(`${address}:1`, ...files);
  // Told where the registry is opened.
  expect(() => void ask()).toThrow(message);
});

test.skipIf(address === undefined)(
  "the name and password of a registry are not shown to its mirrors, nor in the clear to whoever hands out its tokens",
  async () => {
    const challenge =
      (realm: string): Serve =>
      (_, response) =>
        void response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="x"` }).end("{}");
    let asked = 0;
    await using tokens = await startProxy("127.0.0.1:1", {
      answer: (request, response) => {
        asked += 1;
        expect(request.headers.authorization).toBeUndefined();
        response.end(JSON.stringify({ token: "t" }));
        return true;
      },
    });
    await using mirror = await startProxy("127.0.0.1:1", {
      answer: (request, response) => {
        if (request.headers.authorization === "Bearer t") giveManifest(request, response);
        else challenge(`http://${tokens.domain}/token`)(request, response);
        return true;
      },
    });
    const { registries } = open(1, { mirrors: [`http://${mirror.domain}`] });
    await using _open = registries;
    const secret = { username: "user", password: "secret" };
    expect((await registries.open("docker.io", secret).manifest("library/x", "latest", { signal })).bytes).toEqual(manifest);
    expect(asked).toBe(1);
    const port = await secureServer(challenge(`http://${tokens.domain}/token`));
    keep(`${address}:${port}`, ["ca.crt", "ca.crt"]);
    await expect(open(port).ask(secret)).rejects.toThrow(/asks for a token from http:.*that is refused, because it is not https/);
    expect(asked).toBe(1);
  },
);
