import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Rig, openRig } from "../engine/rig.ts";
import { type Result, type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busyboxLayer, makeImage } from "../fixtures/image.ts";
import { identity, startTokenServer, type TokenServer } from "../fixtures/token-server.ts";

/** A registry that wants signed tokens of a token server, as most that are not on one's own machine do. */
const root = mkdtempSync("/var/tmp/slipway-tokens-");
let rig: Rig;
let docker: StockDocker;
let server: TokenServer;
let name: string;

beforeAll(async () => {
  const layers = [busyboxLayer(), [{ name: "etc/motd", data: "hello\n" }]];
  rig = await openRig("tk", { images: [await makeImage("app:1", layers, { Cmd: ["cat", "/etc/motd"] })] });
  docker = stockDocker({ socket: rig.program.socket, netns: rig.netns });
  server = await startTokenServer({ dir: join(root, "registry"), port: 5070, netns: rig.netns });
  name = `${server.address}/team/app:1`;
  await docker.ok("tag", "app:1", name);
  await call("push", { username: "owner", password: "pass" });
}, 400_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(async () => {
  await server.caughtUp();
  server.order({ lifetimeSeconds: 3_600 });
  server.seen.length = 0;
});

/** A pull or a push through the API with these credentials in X-Registry-Auth; what the engine said, its refusals too. */
async function call(what: "pull" | "push", auth: Record<string, string>, image = name): Promise<string> {
  const headers = { "X-Registry-Auth": Buffer.from(JSON.stringify(auth)).toString("base64url") };
  const [repository, tag] = [image.slice(0, image.lastIndexOf(":")), image.slice(image.lastIndexOf(":") + 1)];
  const [path, query] = what === "pull" ? ["/images/create", { fromImage: repository, tag }] : [`/images/${repository}/push`, { tag }];
  const said = await rig.client.stream("POST", path, { headers, query }).then(({ body }) => text(body), String);
  await server.caughtUp();
  return said;
}
const asked = (pattern: RegExp): TokenServer["seen"] => server.seen.filter(({ request }) => pattern.test(request));
/** An image that stays under another name keeps its blobs, and a pull fetches none. */
const forgetAll = (): Promise<string> => docker.ok("image", "prune", "-af");
const forget = async (image = name): Promise<Result> => await docker("rmi", image);

test("docker login lets the CLI push and pull, and keeps an identity token where one is handed out; wrong and missing passwords are told", async () => {
  const config = join(root, "config");
  mkdirSync(config);
  const login = (password: string): Promise<Result> =>
    docker.with({ input: password }, "--config", config, "login", "-u", "owner", "--password-stdin", server.address);
  expect((await login("wrong")).stderr).toContain("incorrect username or password");
  expect((await login("pass")).stdout).toContain("Login Succeeded");
  expect(asked(/^GET \/token/).map(({ request }) => request)).toContainEqual(expect.stringMatching(/account=owner&client_id=slipway&offline_token=true/));
  const kept = JSON.parse(readFileSync(join(config, "config.json"), "utf8")) as { auths: Record<string, { auth: string; identitytoken: string }> };
  const { auth, identitytoken } = kept.auths[server.address]!;
  expect([Buffer.from(auth, "base64").toString(), identitytoken]).toEqual(["owner:", identity]);
  const cli = `${server.address}/team/cli:1`;
  await docker.ok("tag", "app:1", cli);
  expect((await docker("push", cli)).code).not.toBe(0);
  await docker.ok("--config", config, "push", cli);
  await forget(cli);
  expect((await docker("pull", cli)).stderr).toContain("pull access denied");
  await docker.ok("--config", config, "pull", cli);
  expect(await docker.ok("run", "--rm", cli)).toBe("hello");
  await forget(cli);
});

test("a password and an identity token in X-Registry-Auth each get a token for what is asked, and no more", async () => {
  await forget();
  expect(await call("pull", { username: "reader", password: "word" })).toContain("Downloaded newer image");
  expect(asked(/^GET \/token/).map(({ request }) => new URL(request.slice(4), "http://x").searchParams.getAll("scope"))).toEqual([
    ["repository:team/app:pull"],
  ]);
  expect(await call("push", { username: "reader", password: "word" }, name)).toContain("push access denied");
  server.seen.length = 0;
  await forget();
  expect(await call("pull", { identitytoken: identity, serveraddress: server.address })).toContain("Downloaded newer image");
  expect(asked(/^(GET|POST) \/token/)).toEqual([{ at: "front", request: "POST /token", status: 200 }]);
  expect(await call("push", { identitytoken: identity })).toContain("1: digest: ");
  await forget();
  for (const wrong of [{ identitytoken: "another" }, { username: "reader", password: "pass" }, {}]) {
    expect(await call("pull", wrong)).toMatch(/access denied|incorrect username or password/);
  }
});

test.each([
  ["pull", "^GET .*/blobs/"],
  ["push", "^PUT .*/manifests/"],
] as const)(
  "a %s whose token ends in the middle goes on with a new one",
  async (what, outlive) => {
    const image = `${server.address}/team/${what}-late:1`;
    await docker.ok("tag", "app:1", image);
    if (what === "pull") {
      expect(await call("push", { identitytoken: identity }, image)).toContain("1: digest: ");
      await forgetAll();
    }
    // Long enough for what comes before it, and refused when it comes to it.
    server.order({ lifetimeSeconds: 10, outlive });
    server.seen.length = 0;
    expect(await call(what, { username: "owner", password: "pass" }, image)).toContain(what === "pull" ? "Downloaded newer image" : "1: digest: ");
    const late = asked(new RegExp(outlive));
    expect(late.some(({ status }) => status === 401)).toBe(true);
    expect(late.some(({ status }) => status < 400)).toBe(true);
    expect(new Set(late.filter(({ at }) => at === "front").map(({ shown }) => shown)).size).toBe(2);
    await docker.ok("tag", image, "app:1");
    await forget(image);
  },
  180_000,
);

test("blobs come from the host that the registry sends to, which is shown neither token nor password", async () => {
  await forgetAll();
  expect(await call("pull", { username: "owner", password: "pass" })).toContain("Downloaded newer image");
  const elsewhere = server.seen.filter(({ at }) => at === "other");
  expect(elsewhere.filter(({ request, status }) => request.includes("/blobs/") && status === 200)).toHaveLength(3);
  expect(elsewhere.filter(({ shown }) => shown !== undefined)).toEqual([]);
  await docker.ok("tag", name, "app:1");
});

test("a token server that sends to another host gets no login there", async () => {
  await forget();
  for (const auth of [{ identitytoken: identity }, { username: "owner", password: "pass" }]) {
    server.order({ lifetimeSeconds: 3_600, elsewhere: true });
    server.seen.length = 0;
    const said = await call("pull", auth as Record<string, string>);
    if (auth.identitytoken === undefined) expect(said).not.toContain("Downloaded");
    else expect(said).toContain("sends a login on to http://127.0.0.2:5073; that is refused");
    expect(server.seen.filter(({ at, request, shown }) => at === "other" && (request.startsWith("POST") || shown !== undefined))).toEqual([]);
    expect(asked(/^(GET|POST) \/token/).filter(({ at }) => at === "front")).toHaveLength(1);
  }
});
